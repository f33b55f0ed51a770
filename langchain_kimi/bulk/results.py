"""The result of one row, and its line in the output."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

from langchain_core.messages import AIMessage, BaseMessage
from pydantic import BaseModel, ValidationError

from langchain_kimi.errors import KimiError, KimiUsageError

State = Literal["new", "stored", "duplicate"]
RAW_AND_PARSED = {"raw", "parsed", "parsing_error"}


@dataclass(frozen=True, slots=True)
class BulkError:
    """The reason why a row has no value.

    Attributes:
        kind: The class of the exception, such as `KimiTimeoutError`.
        reason: Its text, without secrets.
        status: The HTTP status, if there was one.
        provider: The host that served or refused the call, if it was reported.
        generation_id: OpenRouter's id of the call, if there is one.
        partial: The text that arrived before the failure.
        attempts: The number of attempts of the call that failed.
        is_retryable: Whether the same row may succeed later.
    """

    kind: str
    reason: str
    status: int | None = None
    provider: str | None = None
    generation_id: str | None = None
    partial: str = ""
    attempts: int = 1
    is_retryable: bool = False

    @classmethod
    def of(cls, error: BaseException) -> "BulkError":
        """Return the description of an exception."""
        kind, reason = type(error).__name__, str(error)
        if not isinstance(error, KimiError):
            return cls(kind, reason)
        return cls(
            kind,
            reason,
            error.status,
            error.provider,
            error.generation_id,
            str(error.partial.text) if error.partial else "",
            len(error.attempts) + 1,
            error.is_retryable,
        )


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The result of one row.

    Attributes:
        key: The key of the row.
        index: The position of the row in the input, from 0.
        value: What the runnable returned: a message, a text, an object of the schema. None if the row failed. If a
            stored object cannot be made again of its JSON, it is a dict.
        error: The reason why the row failed; None if it did not.
        input: The row itself.
        model: The model that answered.
        provider: The host that served the row; if several did, the one that came last.
        input_tokens: The tokens of the prompts of all calls.
        output_tokens: The tokens of the answers of all calls, reasoning included.
        cost: US dollars charged for all calls, failed attempts included.
        unknown_costs: The number of calls and attempts whose cost was not reported. `cost` does not contain them.
        seconds: The time from the first request to the answer.
        state: `new` if this run sent the row, `stored` if an earlier run did, `duplicate` if an equal row was sent.
    """

    key: str
    index: int
    value: Any = None
    error: BulkError | None = None
    input: Any = field(default=None, repr=False)
    model: str | None = None
    provider: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unknown_costs: int = 0
    seconds: float = 0.0
    state: State = "new"

    @property
    def ok(self) -> bool:
        """Whether the row has a value."""
        return self.error is None


class BulkStoppedError(KimiUsageError):
    """A bulk run ended before all rows were sent.

    All finished rows are in the output, and the same call continues the run.

    Attributes:
        summary: The summary of the run until it stopped.
        unsaved: Results that could not be written, for example because the disk is full.
    """

    summary: Any
    unsaved: tuple[BulkResult, ...]
    _own_defaults: ClassVar[Mapping[str, Any]] = {"summary": None, "unsaved": ()}


def line_of(result: BulkResult) -> bytes:
    """Return the line of a result in the output: one JSON object."""
    kind, value = _encoded(result.value)
    row: dict[str, Any] = {"key": result.key, "index": result.index, "ok": result.ok}
    if result.error is None:
        row |= {"kind": kind, "value": value}
    else:
        row["error"] = asdict(result.error)
    row |= {name: getattr(result, name) for name in _SUMS}
    try:
        return _dumped(row, ensure_ascii=False)
    except UnicodeEncodeError:
        # A reply may end with half of a surrogate pair, which only an escape can express.
        return _dumped(row, ensure_ascii=True)


_SUMS = ("model", "provider", "input_tokens", "output_tokens", "cost", "unknown_costs", "seconds")
_ERROR_FIELDS = {one.name for one in fields(BulkError)}


def result_of(line: bytes, schema: type[BaseModel] | None, state: State, index: int, row: Any) -> BulkResult:
    """Return the result that a line of the output describes.

    Args:
        line: The line.
        schema: The class of the values; None leaves objects as dicts.
        state: The state of the result.
        index: The position of the row in the input of this run.
        row: The row.
    """
    stored = json.loads(line)
    error = stored.get("error")
    is_duplicate = state == "duplicate"
    return BulkResult(
        key=stored["key"],
        index=index,
        value=None if error else _decoded(stored["kind"], stored["value"], schema),
        error=BulkError(**{name: value for name, value in error.items() if name in _ERROR_FIELDS}) if error else None,
        input=row,
        state=state,
        **{name: stored[name] for name in _SUMS if name in stored and not (is_duplicate and name in _PAID)},
    )


_PAID = frozenset({"input_tokens", "output_tokens", "cost", "unknown_costs", "seconds"})


def _dumped(row: Any, *, ensure_ascii: bool) -> bytes:
    options: dict[str, Any] = {"ensure_ascii": ensure_ascii, "separators": (",", ":"), "default": _plain}
    try:
        text = json.dumps(row, allow_nan=False, **options)
    except ValueError:
        # Models write NaN, which is not JSON. Most programs could not read a file with such a line.
        text = json.dumps(json.loads(json.dumps(row, **options), parse_constant=lambda _: None), **options)
    return text.encode() + b"\n"


def _plain(value: Any) -> Any:
    """Return a value inside of another one, such as a message in a dict, as JSON types."""
    return _encoded(value)[1] if isinstance(value, BaseModel) else str(value)


def _encoded(value: Any) -> tuple[str, Any]:
    if isinstance(value, BaseMessage):
        return "message", value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, BaseModel):
        # `model_validate` requires the aliases.
        return "object", value.model_dump(mode="json", by_alias=True)
    if isinstance(value, dict) and value.keys() == RAW_AND_PARSED:
        raw, parsed = _encoded(value["raw"]), _encoded(value["parsed"])
        return "raw_and_parsed", {"raw": raw, "parsed": parsed}
    return "json", value


def _decoded(kind: str, value: Any, schema: type[BaseModel] | None) -> Any:
    if kind == "message":
        return AIMessage(**{name: part for name, part in value.items() if name != "type"})
    if kind == "object" and schema is not None:
        try:
            return schema.model_validate(value)
        except ValidationError:
            # For example, the class has different aliases for input and output.
            return value
    if kind == "raw_and_parsed":
        raw, parsed = (_decoded(kind, part, schema) for kind, part in (value["raw"], value["parsed"]))
        return {"raw": raw, "parsed": parsed, "parsing_error": None}
    return value
