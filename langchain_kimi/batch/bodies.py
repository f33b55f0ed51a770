"""The requests of the rows of a batch, and the body or file that has all of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import BaseMessage

from langchain_kimi._calls import bodies, body_for_host
from langchain_kimi._openrouter.host import Host
from langchain_kimi._openrouter.wire import JSONObject, WireBody
from langchain_kimi._request.body import body_bytes, call_ids_in
from langchain_kimi._settings import chosen_host
from langchain_kimi.batch.errors import too_large
from langchain_kimi.batch.program import Program
from langchain_kimi.errors import KimiUsageError

ENDPOINT = "/v1/chat/completions"
BATCH_VARIANT = ":batch"
_PROVIDER_FIELDS = frozenset({"only", "allow_fallbacks"})
_DROPPED_PROVIDER_FIELDS = frozenset({"require_parameters"})
"""Structured output adds it. A batch goes to a provider that supports its parameters, or fails its validation."""
_NOT_IN_BATCHES = {
    "models": "A batch has one model: leave `models` out.",
    "route": "A batch has one model: leave `route` out.",
    "modalities": "A batch returns text only.",
    "image_config": "A batch returns text only.",
    "audio": "A batch returns text only.",
}
"""Fields that OpenRouter's batches refuse after they were accepted, which fails all rows; see
https://openrouter.ai/docs/guides/features/batch-api."""


@dataclass(frozen=True, slots=True)
class RowRequest:
    """The request of one row.

    Attributes:
        body: The body in OpenRouter's form.
        content: The body as it is sent.
        call_ids: The ids of the tool calls in its conversation.
    """

    body: WireBody = field(repr=False)
    content: bytes = field(repr=False)
    call_ids: frozenset[str] = frozenset()


def row_request(program: Program, messages: Sequence[BaseMessage], number: int) -> RowRequest:
    """Return the request of a row.

    Args:
        program: The runnable.
        messages: The conversation.
        number: The position of the row, for errors.

    Raises:
        KimiUsageError: A message or an argument cannot be sent, or not in a batch.
    """
    settings = program.model
    _, body = bodies(settings, messages, program.arguments, settings.profile, streamed=False)
    sent = cast("JSONObject", body_for_host(settings, body, program.arguments, streamed=False))
    host = chosen_host(settings)
    if host.batches == "inline":
        _check_inline(sent, number)
        sent = {name: value for name, value in sent.items() if name not in {"model", "provider"}}
    return RowRequest(body, body_bytes(cast("WireBody", sent)), call_ids_in(messages))


def _check_inline(body: JSONObject, number: int) -> None:
    for name, advice in _NOT_IN_BATCHES.items():
        if body.get(name):
            raise KimiUsageError(f"Nothing was sent. A batch cannot have {name} (row {number}).", advice=advice)
    for part in _parts(body["messages"]):
        kind = str(part.get("type"))
        value = part.get(kind)
        url = str(value.get("url") if isinstance(value, Mapping) else value)
        if kind in {"input_audio", "video_url"} or (
            kind == "image_url" and not url.startswith(("http://", "https://"))
        ):
            raise KimiUsageError(
                f"Nothing was sent. A batch takes text, and images by their public URL: row {number} has {kind}.",
                advice="Send this row with invoke, or upload the image and pass its URL.",
            )


def _parts(messages: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            yield from (part for part in content if isinstance(part, Mapping))


def provider_of(body: Mapping[str, Any]) -> JSONObject:
    """Return the provider preferences of a batch: all rows go to one provider.

    Raises:
        KimiUsageError: There is a preference that batches do not support, such as `zdr`.
    """
    preferences = {name: value for name, value in (body.get("provider") or {}).items() if value is not None}
    if refused := sorted(preferences.keys() - _PROVIDER_FIELDS - _DROPPED_PROVIDER_FIELDS):
        raise KimiUsageError(
            f"Nothing was sent. A batch takes provider.only and provider.allow_fallbacks, not {', '.join(refused)}.",
            advice="Leave them out for the batch, for example model.bind(provider={'only': ['novita']}).",
        )
    return {name: value for name, value in preferences.items() if name in _PROVIDER_FIELDS}


def model_of(body: Mapping[str, Any], host: Host) -> str:
    """Return the model of a batch as its server names it. OpenRouter adds the variant `:batch` itself."""
    slug = str(body["model"])
    return slug.removesuffix(BATCH_VARIANT) if host.is_openrouter else slug.removeprefix(host.model_prefix)


def priced_slug(body: Mapping[str, Any]) -> str:
    """Return the slug whose list prices a batch has."""
    slug = str(body["model"])
    return slug if BATCH_VARIANT in slug else slug + BATCH_VARIANT


@dataclass(frozen=True, slots=True)
class Submission:
    """Everything that a submission sends.

    Attributes:
        key: The beginning of the custom ids.
        model: The model, as the server names it.
        content: The body of the submission, or the file.
        rows: The number of rows.
        window: The time in which the batch ends, such as `24h`.
    """

    key: str
    model: str
    content: bytes = field(repr=False)
    rows: int
    window: str


def custom_id(key: str, index: int) -> str:
    """Return the id of a row in its batch."""
    return f"{key}-{index}"


def submission(host: Host, key: str, rows: Sequence[RowRequest], window: str) -> Submission:
    """Return the submission of rows.

    Raises:
        KimiUsageError: There are no rows, or a provider preference is not supported.
        BatchLimitError: The rows are too many or too large for one batch.
    """
    if not rows:
        raise KimiUsageError("Nothing was sent. A batch needs at least one row.")
    check_size(host, len(rows), 0)
    first = cast("JSONObject", rows[0].body)
    model = model_of(first, host)
    lines = [line_of(host, key, index, row) for index, row in enumerate(rows)]
    if host.batches == "files":
        content = b"\n".join(lines) + b"\n"
    else:
        provider = provider_of(first)
        # The server parses the body while it arrives, and refuses one whose requests come before the other fields.
        head: JSONObject = {"endpoint": ENDPOINT, "model": model, **({"provider": provider} if provider else {})}
        begin = json.dumps({**head, "completion_window": window})[:-1].encode()
        content = begin + b', "requests": [' + b",".join(lines) + b"]}"
    check_size(host, len(rows), len(content))
    return Submission(key, model, content, len(rows), window)


def line_of(host: Host, key: str, index: int, row: RowRequest) -> bytes:
    """Return the JSON of a row."""
    head: JSONObject = {"custom_id": custom_id(key, index)}
    if host.batches == "files":
        head |= {"method": "POST", "url": ENDPOINT}
    return json.dumps(head)[:-1].encode() + b', "body": ' + row.content + b"}"


def check_size(host: Host, rows: int, size: int) -> None:
    """Check the size of a batch.

    Args:
        host: The server.
        rows: The number of rows.
        size: The number of bytes.

    Raises:
        BatchLimitError: It is above a limit of the server.
    """
    if host.batch_rows and rows > host.batch_rows:
        raise too_large(host.batch_rows, rows, "rows")
    if host.batch_bytes and size > host.batch_bytes:
        raise too_large(host.batch_bytes, size, "bytes")
