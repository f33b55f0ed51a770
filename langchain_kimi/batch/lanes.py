"""The two forms of batch APIs, as operations without I/O: OpenRouter's, and Moonshot's with files.

Sources: the package `openrouter` 1.3.84 (`components/batchobject.py`, `batchsubmitbody.py`) and
https://openrouter.ai/docs/guides/features/batch-api; https://platform.kimi.ai/docs/api/batch-create and
https://platform.kimi.ai/docs/guide/use-batch-api. Moonshot documents one line of an output file, and neither the lines
of an error file nor the results of expired and cancelled batches; they are read in the form of output files.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any, Protocol
from urllib.parse import quote

from langchain_kimi._openrouter.host import Host
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.batch.bodies import ENDPOINT, Submission
from langchain_kimi.batch.requests import Operation, Send
from langchain_kimi.catalog.operations import Wait
from langchain_kimi.errors import KimiError, KimiNotFoundError, KimiUsageError

FINISHED = frozenset({"completed", "failed", "expired", "cancelled"})
"""The statuses that do not change any more."""
MOST_FAILURES = 20
"""Failed requests in a row, each with its own retries, after which a wait for the end of a batch is given up."""
_PAGE = "100"
_BOUNDARY = "langchain-kimi-batch-5f0e7c1d9b"
_SKEW = 300
"""Seconds by which the clocks of the server and of this machine may differ."""


class Lane(Protocol):
    """The batch API of a server."""

    def submit(self, batch: Submission) -> Operation[JSONObject]:
        """Submit a batch, and return its object."""
        ...

    def rows(self, batch: JSONObject) -> Operation[list[JSONObject]]:
        """Return the result rows of a batch that has ended, in any order."""
        ...

    def cancel(self, batch_id: str) -> Operation[JSONObject]:
        """Cancel a batch, and return its object."""
        ...

    def find(
        self, batch: Submission, since: float, others: Collection[str], every: float
    ) -> Operation[JSONObject | None]:
        """Return the object of a batch that may have been submitted, None if it was not; see `submitting.find`."""
        ...


def lane_of(host: Host) -> Lane:
    """Return the batch API of a server.

    Raises:
        KimiUsageError: The host has no batch API.
    """
    lanes: dict[str, Lane] = {"inline": Inline(), "files": Files()}
    if host.batches not in lanes:
        raise KimiUsageError(
            f"{host.name} has no batch API that this package uses.",
            advice="Use OpenRouter or Moonshot, or set `batches` of your own Host.",
        )
    return lanes[host.batches]


def status(batch_id: str) -> Operation[JSONObject]:
    """Return the object of a batch."""
    batch: JSONObject = yield Send("GET", f"/batches/{quote(batch_id, safe='')}")
    return batch


def finished(batch_id: str, every: float, deadline: float | None, now: Any) -> Operation[JSONObject]:
    """Return the object of a batch once it has ended, or the last one before the deadline.

    A batch outlives an outage of the network: failed requests that may succeed later are repeated after a wait, until
    `MOST_FAILURES` have failed in a row.

    Args:
        batch_id: The batch.
        every: The maximum interval between two requests in seconds. The first waits are shorter.
        deadline: The end of the wait, in seconds of `now`; None waits until the end.
        now: Returns monotonic seconds.
    """
    wait = min(1.0, every)
    failures = 0
    while True:
        batch: JSONObject | None = None
        left = None if deadline is None else deadline - now()
        is_over = left is not None and left <= 0
        try:
            batch = yield from status(batch_id)
            failures = 0
        except KimiError as error:
            failures += 1
            if not error.is_retryable or failures == MOST_FAILURES or is_over:
                raise
        if batch is not None and (batch.get("status") in FINISHED or is_over):
            return batch
        yield Wait(wait if left is None else min(wait, left))
        wait = min(2 * wait, every)


def _listed(since: float, query: dict[str, str]) -> Operation[list[JSONObject]]:
    """Return the batches since a time, newest first."""
    batches: list[JSONObject] = []
    while True:
        after = {"after": str(batches[-1].get("id"))} if batches else {}
        page = yield Send("GET", "/batches", {"limit": _PAGE, **query, **after})
        rows = [row for row in page.get("data") or () if isinstance(row, dict)]
        recent = [row for row in rows if (row.get("created_at") or 0) >= since - _SKEW]
        batches += recent
        if len(recent) < len(rows) or not rows or not page.get("has_more", len(rows) >= int(_PAGE)):
            return batches


class Inline:
    """OpenRouter's batches: the requests are in the body of the submission, the results in the object of the batch."""

    def submit(self, batch: Submission) -> Operation[JSONObject]:
        """Submit a batch."""
        created: JSONObject = yield Send("POST", "/batches", body=batch.content, is_repeatable=False)
        return created

    def rows(self, batch: JSONObject) -> Operation[list[JSONObject]]:
        """Return the results in the object, or those of the pages at `/results`."""
        if isinstance(results := batch.get("results"), list):
            return results
        rows: list[JSONObject] = []
        cursor: dict[str, str] = {}
        while True:
            try:
                page = yield Send("GET", f"/batches/{quote(str(batch.get('id')), safe='')}/results", cursor)
            except KimiNotFoundError:
                # A server without this endpoint, or a batch without results.
                return rows
            rows += page.get("data") or page.get("results") or ()
            if not page.get("next_cursor"):
                return rows
            cursor = {"cursor": str(page["next_cursor"])}

    def cancel(self, batch_id: str) -> Operation[JSONObject]:
        """Raise an error: OpenRouter has no request that cancels a batch."""
        yield from ()
        raise KimiUsageError(
            f"OpenRouter cannot cancel a batch: {batch_id} runs until it ends.",
            advice="Its results can be ignored; they are charged.",
        )

    def find(
        self, batch: Submission, since: float, others: Collection[str], every: float
    ) -> Operation[JSONObject | None]:
        """Return the batch whose results have the ids of a submission.

        The list of batches has no ids of rows, so batches that may be the one are looked at when they have ended.
        """
        wait = min(1.0, every)
        while True:
            is_open = False
            for listed in (yield from _listed(since, {})):
                if listed.get("id") in others or not _may_be(listed, batch):
                    continue
                if listed.get("status") not in FINISHED:
                    is_open = True
                    continue
                candidate = yield from status(str(listed.get("id")))
                rows = yield from self.rows(candidate)
                if any(str(row.get("custom_id")).startswith(f"{batch.key}-") for row in rows):
                    return candidate
            if not is_open:
                return None
            yield Wait(wait)
            wait = min(2 * wait, every)


def _may_be(listed: JSONObject, batch: Submission) -> bool:
    """Return whether a listed batch has the model and the size of a submission."""
    total = (listed.get("request_counts") or {}).get("total")
    model = str(listed.get("model") or batch.model).removesuffix(":batch")
    return model == batch.model and total in {None, 0, batch.rows}


class Files:
    """Moonshot's batches: the requests are uploaded as a file, and the results are two files."""

    def submit(self, batch: Submission) -> Operation[JSONObject]:
        """Upload the file, and submit the batch. The key is in its metadata."""
        file = yield Send(
            "POST",
            "/files",
            body=multipart(f"{batch.key}.jsonl", batch.content),
            content_type=f"multipart/form-data; boundary={_BOUNDARY}",
        )
        request = {"input_file_id": file.get("id"), "endpoint": ENDPOINT, "completion_window": batch.window}
        body = json.dumps({**request, "metadata": {"key": batch.key}}).encode()
        created: JSONObject = yield Send("POST", "/batches", body=body, is_repeatable=False)
        return created

    def rows(self, batch: JSONObject) -> Operation[list[JSONObject]]:
        """Return the lines of the output file and of the error file."""
        rows: list[JSONObject] = []
        for name in ("output_file_id", "error_file_id"):
            if file_id := batch.get(name):
                content = yield Send("GET", f"/files/{quote(str(file_id), safe='')}/content", is_object=False)
                rows += _lines(content)
        return rows

    def cancel(self, batch_id: str) -> Operation[JSONObject]:
        """Cancel a batch that has not ended."""
        batch: JSONObject = yield Send("POST", f"/batches/{quote(batch_id, safe='')}/cancel")
        return batch

    def find(
        self, batch: Submission, since: float, others: Collection[str], every: float
    ) -> Operation[JSONObject | None]:
        """Return the batch that has the key of a submission in its metadata."""
        del others, every
        listed = yield from _listed(since, {})
        return next((one for one in listed if (one.get("metadata") or {}).get("key") == batch.key), None)


def _lines(content: bytes) -> Iterator[JSONObject]:
    """Yield the JSON objects of a file. A damaged line is a row without a result, and not an error of the batch."""
    for line in content.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def multipart(name: str, content: bytes) -> bytes:
    """Return a form with a batch file (RFC 7578). The boundary cannot be in JSON lines, which have no such line."""
    purpose = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    content_type = "Content-Type: application/jsonl\r\n\r\n"
    return f"{purpose}{head}{content_type}".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
