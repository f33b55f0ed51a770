"""The emulated `/files` and `/batches` of Moonshot's own API."""

import json
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing.batches import FINISHED, AnswerRow, Batches, BatchJob, Files, expiry, rows_of
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.http1 import Response
from langchain_kimi.testing.received_requests import ReceivedRequest
from langchain_kimi.testing.rejections import RejectedRequestError
from langchain_kimi.testing.responses import dump, json_response

PREFIX = "moonshotai/"
MAX_BYTES = 100_000_000
_OPENROUTER_ONLY = ("provider", "native_finish_reason", "system_fingerprint")
_TIMES = ("in_progress_at", "finalizing_at", "completed_at", "failed_at", "cancelling_at", "cancelled_at")


def respond(received: ReceivedRequest, path: str, batches: Batches, behavior: Behavior, answer: AnswerRow) -> Response:
    """Return the response to a request for files or batches.

    Args:
        received: The request, with a valid key.
        path: The path after `/v1/`.
        batches: The batches and files.
        behavior: The switches.
        answer: Returns the reply to a row.

    Raises:
        RejectedRequestError: The request is invalid, or there is no such file or batch.
    """
    kind, name, action = (*path.split("/"), "", "")[:3]
    match (received.method, kind, bool(name), action):
        case ("POST", "files", False, ""):
            return json_response(200, _uploaded(received, batches.files, behavior.batch_bytes or MAX_BYTES))
        case ("GET", "files", True, "content"):
            return Response(200, {"content-type": "application/jsonl"}, (batches.files.content(name),), chunked=False)
        case ("POST", "batches", False, ""):
            return json_response(200, _object(_submitted(received, batches, behavior)))
        case ("GET", "batches", False, ""):
            jobs, more = batches.page(received.query)
            return json_response(200, {"object": "list", "data": [_object(job) for job in jobs], "has_more": more})
        case ("GET", "batches", True, ""):
            job = batches.get(name)
            job.advance(_in_dialect(answer))
            _write_results(job, batches.files)
        case ("POST", "batches", True, "cancel"):
            job = batches.get(name)
            job.cancel()
        case _:
            raise RejectedRequestError(404, "Not Found")
    return json_response(200, _object(job))


def _uploaded(received: ReceivedRequest, files: Files, most: int) -> JSONObject:
    kind = received.headers.get("content-type", "")
    parts = form_of(kind, received.raw)
    if b"batch" not in parts.get("purpose", b""):
        raise RejectedRequestError(400, "Invalid purpose: only file-extract, batch, image and video accepted")
    content = parts.get("file", b"")
    if not content:
        raise RejectedRequestError(400, "File size is zero, please confirm and re-upload the file")
    if len(content) > most:
        raise RejectedRequestError(400, "File size is too large, max file size is 100MB")
    return {"id": files.add(content), "object": "file", "bytes": len(content), "purpose": "batch", "status": "ok"}


def form_of(content_type: str, raw: bytes) -> Mapping[str, bytes]:
    """Return the fields of a multipart form by their names."""
    message: Message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw)
    if not message.is_multipart():
        raise RejectedRequestError(400, "expected multipart/form-data")
    fields: dict[str, bytes] = {}
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            fields[name] = bytes(part.get_payload(decode=True) or b"")
    return fields


def _submitted(received: ReceivedRequest, batches: Batches, behavior: Behavior) -> BatchJob:
    body = received.body if isinstance(received.body, dict) else {}
    if body.get("endpoint") != "/v1/chat/completions" or not body.get("completion_window"):
        raise RejectedRequestError(400, "endpoint, completion_window: missing or not supported")
    file_id = str(body.get("input_file_id"))
    try:
        rows = rows_of([json.loads(line) for line in batches.files.content(file_id).splitlines() if line.strip()])
    except ValueError as error:
        raise RejectedRequestError(400, f"The file has a line that is not JSON: {error}") from error
    models = {row.get("model") for _, row in rows}
    job = batches.add(
        str(next(iter(models))),
        rows,
        behavior.batch_states,
        input_file_id=file_id,
        window=body["completion_window"],
        metadata=body.get("metadata"),
    )
    if len(models) > 1:
        job.states, job.ending = [], type(job.ending)(status="failed", message="All requests must use the same model.")
    return job


def _in_dialect(answer: AnswerRow) -> AnswerRow:
    """Return a function that answers as Moonshot's own API does."""

    def answered(body: JSONObject) -> tuple[int, JSONObject]:
        name = str(body["model"])
        status, reply = answer({**body, "model": PREFIX + name})
        if "choices" not in reply:
            return status, reply
        choices = [_choice(choice) for choice in reply["choices"]]
        rest = {key: value for key, value in reply.items() if key not in _OPENROUTER_ONLY}
        return status, {**rest, "model": name, "choices": choices}

    return answered


def _choice(choice: JSONObject) -> JSONObject:
    message = dict(choice["message"])
    message.pop("reasoning_details", None)
    if reasoning := message.pop("reasoning", None):
        message["reasoning_content"] = reasoning
    rest = {key: value for key, value in choice.items() if key not in _OPENROUTER_ONLY}
    return {**rest, "message": message}


def _write_results(job: BatchJob, files: Files) -> None:
    """Write the output file and the error file of a batch that has ended, once."""
    if job.status not in FINISHED or "output_file_id" in job.facts:
        return
    answers = [row for row in job.results if row["error"] is None]
    errors = [row for row in job.results if row["error"] is not None]
    for name, rows in (("output_file_id", answers), ("error_file_id", errors)):
        job.facts[name] = files.add(b"".join(dump(row) + b"\n" for row in rows)) if rows else None


def _object(job: BatchJob) -> JSONObject:
    failure = {"object": "list", "data": [{"message": job.ending.message or "The batch failed."}]}
    return {
        "id": job.id,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "input_file_id": job.facts["input_file_id"],
        "completion_window": job.facts["window"],
        "status": job.status,
        "output_file_id": job.facts.get("output_file_id"),
        "error_file_id": job.facts.get("error_file_id"),
        "errors": failure if job.status == "failed" else None,
        "created_at": job.created,
        "expires_at": expiry(job),
        **dict.fromkeys(_TIMES),
        "request_counts": job.counts,
        "metadata": job.facts["metadata"],
    }
