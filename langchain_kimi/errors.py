"""Every error that this package raises, as one tree.

```
KimiError                          (ModelError)
 + KimiUsageError                  (ModelInvalidRequestError, ValueError)  invalid arguments: nothing was sent
 |  - KimiBudgetExceededError                                              a `Budget` is used up
 + KimiConnectionError             (ModelConnectionError)          no connection, or it failed before the reply began
 |  - KimiTimeoutError             (ModelTimeoutError)             connect, idle or total timeout
 + KimiStatusError                 (ModelError)                    OpenRouter or a provider refused or failed
 |  - KimiInvalidRequestError      (ModelInvalidRequestError, ValueError)     400, 412, 413, 422
 |  |  . KimiContextOverflowError  (ContextOverflowError)          more tokens than the context of the model
 |  - KimiAuthenticationError      (ModelAuthenticationError, ValueError)     401
 |  - KimiPaymentRequiredError     (ModelPermissionDeniedError, ValueError)   402, and the 403 of a key without credit
 |  - KimiPermissionError          (ModelPermissionDeniedError, ValueError)   403
 |  |  . KimiModerationError                                       the input was flagged
 |  - KimiNotFoundError            (ModelNotFoundError, ValueError)           404, and the 400 of an unknown model
 |  - KimiRateLimitError           (ModelRateLimitError)           429
 |  - KimiUnexpectedStatusError    (ValueError)                    undocumented, such as 302 and 418
 |  - KimiServerError              (ModelAPIError)                 5xx, and failures inside a 200 or a stream
 + KimiReplyError                  (ModelAPIError)                 a reply arrived, but not a complete answer
    - KimiMalformedReplyError                                      not JSON, or not the documented form
    - KimiReplyTooLargeError                                       larger than any real answer
    - KimiIncompleteStreamError                                    the stream ended before the reply did
    - KimiEmptyReplyError                                          neither text nor reasoning nor a tool call
    - KimiStructuredOutputError    (OutputParserException)         no value that fits the schema
       . KimiRefusalError          (ModelRefusalError)             the model refused to produce one
```

Each leaf is also one of langchain-core's `Model*Error` classes, so LangChain's retry and fallback middleware handle it.
Errors of requests that would fail again (usage errors, 400 to 404, and undocumented statuses such as 302 and 418) are
also `ValueError`s, which LangGraph's default `RetryPolicy` does not retry; `retry_on` decides for each single error.
An error carries everything known about the failure, including the partial answer; see `KimiError`.
"""

import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypedDict, Unpack

import langchain_core.exceptions
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
    OutputParserException,
)
from langchain_core.messages import AIMessage

from langchain_kimi._explanations import error_text, explanation_of

__all__ = [
    "KimiAuthenticationError", "KimiBudgetExceededError", "KimiConnectionError", "KimiContextOverflowError",
    "KimiEmptyReplyError", "KimiError", "KimiIncompleteStreamError", "KimiInvalidRequestError",
    "KimiMalformedReplyError", "KimiModerationError", "KimiNotFoundError", "KimiPaymentRequiredError",
    "KimiPermissionError", "KimiRateLimitError", "KimiRefusalError", "KimiReplyError", "KimiReplyTooLargeError",
    "KimiServerError", "KimiStatusError", "KimiStructuredOutputError", "KimiTimeoutError",
    "KimiUnexpectedStatusError", "KimiUsageError", "RawReply", "StructuredOutputCause", "retry_on",
]  # fmt: skip
"""The names that `langchain_kimi` exports too."""

# langchain-core has `ModelRefusalError` since 1.7.5.
_ModelRefusalError = getattr(langchain_core.exceptions, "ModelRefusalError", ModelError)


@dataclass(frozen=True, slots=True)
class RawReply:
    """The raw reply, with the attributes that LangChain's tracers read from `exception.response`."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    def json(self) -> Any:
        """Return the parsed text, as `httpx.Response.json` does.

        Raises:
            ValueError: The text is not JSON.
        """
        return json.loads(self.text)


class ErrorDetails(TypedDict, total=False):
    """The keyword arguments of `KimiError`; they become attributes of the same names."""

    advice: str
    status: int | None
    code: int | str | None
    error_type: str | None
    model: str | None
    provider: str | None
    raw: Any
    metadata: Mapping[str, Any]
    availability: Mapping[str, Any]
    generation_id: str | None
    retry_after: float | None
    is_retryable: bool
    response: RawReply | None
    partial: AIMessage | None
    usage: Mapping[str, Any] | None
    attempts: tuple["KimiError", ...]


class _InstanceAttribute:
    """An attribute that every instance has in its `__dict__`; on the class it is the default of langchain-core."""

    def __get__(self, instance: object, owner: type) -> bool:
        if instance is not None:
            raise AttributeError("is_retryable")
        return next(value for kind in owner.__mro__ if isinstance(value := vars(kind).get("is_retryable"), bool))


class KimiError(ModelError):
    """A call to the model failed.

    Attributes:
        reason: The cause, in the provider's words if it sent any. The text of the exception begins with it.
        advice: The remedy. The text of the exception ends with it.
        status: The HTTP status, or the status of an error inside a reply that began with 200.
        code: The `code` of the error: a number, a string or None.
        error_type: OpenRouter's canonical type, such as `rate_limit_exceeded`.
        model: The model that answered, or else the requested one.
        provider: The display name of the provider that served or refused the call.
        raw: The provider's own error (`metadata.raw`), parsed if it is JSON.
        metadata: `error.metadata`, unchanged.
        availability: `error.availability`: suggested fallback models, and the reasons why providers were excluded.
        generation_id: OpenRouter's `gen-…` id of the call.
        retry_after: The wait before the next attempt in seconds, if the server requests one.
        is_retryable: Whether the same request may succeed later.
        response: The raw reply: status, headers, text.
        partial: The message received so far: text, reasoning, usage and tool calls. Its tool calls are never valid.
        usage: The tokens and the cost reported so far, with OpenRouter's keys.
        attempts: The errors of earlier attempts, oldest first.
    """

    reason: str
    advice: str
    status: int | None
    code: int | str | None
    error_type: str | None
    model: str | None
    provider: str | None
    raw: Any
    metadata: Mapping[str, Any]
    availability: Mapping[str, Any]
    generation_id: str | None
    retry_after: float | None
    response: RawReply | None
    partial: AIMessage | None
    usage: Mapping[str, Any] | None
    attempts: tuple["KimiError", ...]

    is_retryable = _InstanceAttribute()

    _own_defaults: ClassVar[Mapping[str, Any]] = {}
    """The attributes that a subclass adds, with their defaults."""

    def __init__(
        self, reason: str, details: Mapping[str, Any] | None = None, /, **keywords: Unpack[ErrorDetails]
    ) -> None:
        super().__init__(reason)
        # Ray raises an instance of a subclass, and looks up only missing attributes on the original error.
        # So each default is set on the instance; on the class, it would hide the value of the original error.
        attributes = {**_defaults(), **self._own_defaults, "is_retryable": type(self).is_retryable}
        restored = {name: value for name, value in (details or {}).items() if name in attributes}
        self.__dict__.update(attributes, **restored, reason=reason)
        self.update(**keywords)
        # Tracebacks show notes. They are not part of the text, which also goes to logs, users and models.
        self.add_note(f"Cause and remedy: {self.help}")

    def update(self, **details: Unpack[ErrorDetails]) -> None:
        """Set attributes that became known after the error was created."""
        self.__dict__.update(details)
        # Result stores such as Celery's store the class and its `args` as JSON, and call the class with these.
        names = (*_JSON_DETAILS, *self._own_defaults)
        present = {name: value for name in names if (value := self.__dict__.get(name)) not in (None, "", {}, ())}
        self.args = (self.reason, present)

    @property
    def status_code(self) -> int | None:
        """The HTTP status; the same as `status`, under the name that other packages use."""
        return self.status

    @property
    def help(self) -> str:
        """The command that prints the causes and remedies of this error, and their URL if there is a public site."""
        kinds = (kind for kind in type(self).__mro__ if kind.__module__.startswith("langchain_kimi."))
        return explanation_of(next(kinds).__name__)

    @property
    def request_id(self) -> str | None:
        """The generation id, under the name that LangChain's tracers read."""
        return self.generation_id

    def __str__(self) -> str:
        context = {"HTTP": self.status, "provider": self.provider, "model": self.model}
        context |= {"generation": self.generation_id}
        return error_text(self.reason, self.advice, context, attempts=len(self.attempts) + 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({error_text(self.reason)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        attributes = {key: value for key, value in self.__dict__.items() if key != "reason"}
        return _rebuild, (type(self), self.reason, attributes)


def _rebuild(kind: type[KimiError], reason: str, attributes: dict[str, Any]) -> KimiError:
    error = kind.__new__(kind, reason)
    KimiError.__init__(error, reason)
    error.update(**attributes)
    return error


_JSON_DETAILS = (
    "advice", "status", "code", "error_type", "model", "provider", "availability", "generation_id", "retry_after",
    "is_retryable", "usage",
)  # fmt: skip


def _defaults() -> dict[str, Any]:
    return {
        **dict.fromkeys(ErrorDetails.__annotations__),
        "advice": "",
        "metadata": {},
        "availability": {},
        "attempts": (),
    }


def retry_on(error: Exception) -> bool:
    """Return whether a retry may succeed, for LangGraph's `RetryPolicy(retry_on=retry_on)`.

    Args:
        error: Any error. For errors of this package, `is_retryable` decides; for others, LangGraph's default does.
    """
    if isinstance(error, KimiError):
        return error.is_retryable
    decide: Any = importlib.import_module("langgraph.types").RetryPolicy().retry_on
    return bool(decide(error))


class KimiUsageError(KimiError, ModelInvalidRequestError, ValueError):
    """The arguments are invalid: nothing was sent and nothing was billed."""


class BudgetDetails(ErrorDetails, total=False):
    """The keyword arguments of `KimiBudgetExceededError`."""

    spent: float
    limit: float
    unit: Literal["USD", "tokens"]


class KimiBudgetExceededError(KimiUsageError):
    """The budget is used up; see `langchain_kimi.callbacks.Budget`.

    Attributes:
        spent: The cost of all earlier calls, in `unit`.
        limit: The budget, in `unit`.
        unit: `"USD"` or `"tokens"`.
    """

    spent: float
    limit: float
    unit: Literal["USD", "tokens"]
    _own_defaults: ClassVar[Mapping[str, Any]] = {"spent": 0.0, "limit": 0.0, "unit": "USD"}

    def __init__(
        self, reason: str, details: Mapping[str, Any] | None = None, /, **keywords: Unpack[BudgetDetails]
    ) -> None:
        super().__init__(reason, details, **keywords)  # type: ignore[misc]  # the base takes the attributes of subclasses


class KimiConnectionError(KimiError, ModelConnectionError):
    """The connection could not be opened, or it failed before the reply began."""


class KimiTimeoutError(KimiConnectionError, ModelTimeoutError):
    """A timeout passed: connect, read, idle (no content for too long) or total."""


class KimiStatusError(KimiError):
    """OpenRouter or the provider refused the request or failed to serve it."""


class KimiInvalidRequestError(KimiStatusError, ModelInvalidRequestError, ValueError):
    """The request is invalid (400, 412, 413, 422)."""


class KimiContextOverflowError(KimiInvalidRequestError, ContextOverflowError):
    """The messages, or the messages plus `max_tokens`, exceed the context of the model."""


class KimiAuthenticationError(KimiStatusError, ModelAuthenticationError, ValueError):
    """The API key is missing, unknown or disabled (401)."""


class KimiPaymentRequiredError(KimiStatusError, ModelPermissionDeniedError, ValueError):
    """The account or the API key has too little credit for the request (402, or the 403 of a key at its limit)."""


class KimiPermissionError(KimiStatusError, ModelPermissionDeniedError, ValueError):
    """The API key is not allowed to make this request (403)."""


class KimiModerationError(KimiPermissionError):
    """The input was flagged. `metadata` has the `reasons`, and an excerpt in `flagged_input`."""


class KimiNotFoundError(KimiStatusError, ModelNotFoundError, ValueError):
    """The model is unknown, or the request's settings exclude all its providers."""


class KimiRateLimitError(KimiStatusError, ModelRateLimitError):
    """Too many requests (429), at OpenRouter or at the provider."""


class KimiUnexpectedStatusError(KimiStatusError, ValueError):
    """OpenRouter does not document the status, such as a redirect or 418; it probably comes from another server."""


class KimiServerError(KimiStatusError, ModelAPIError):
    """The server failed (5xx), possibly in the middle of a response that began with 200."""


class KimiReplyError(KimiError, ModelAPIError):
    """A reply arrived, but it is not a complete answer."""


class KimiMalformedReplyError(KimiReplyError):
    """The reply is not JSON, or does not have the documented form."""


class KimiReplyTooLargeError(KimiReplyError):
    """The reply, or one event of it, exceeds the size limit; reading stopped there."""


class KimiIncompleteStreamError(KimiReplyError):
    """The stream ended before the reply did: without a finish reason and without `[DONE]`."""


class KimiEmptyReplyError(KimiReplyError):
    """The reply finished without any text, reasoning, tool call or refusal."""


StructuredOutputCause = Literal["refusal", "length", "empty", "no_call", "bad_json", "invalid"]


class StructuredOutputDetails(ErrorDetails, total=False):
    """The keyword arguments of `KimiStructuredOutputError`."""

    cause: StructuredOutputCause
    text: str
    position: int | None
    validation_errors: Sequence[Mapping[str, Any]]


_NO_VALUE: Mapping[str, Any] = {"text": "", "position": None, "validation_errors": ()}


class KimiStructuredOutputError(KimiReplyError, OutputParserException):
    """The reply contains no value that fits the schema; `partial` is the complete reply.

    Attributes:
        cause: `refusal` (the model refused), `length` (the token limit cut the reply off), `empty` (neither text nor a
            tool call), `no_call` (text or other tool calls instead of the requested one), `bad_json`, or `invalid`
            (JSON that does not fit the schema). After `refusal` and `length` the error is not retryable.
        failure: The same as `cause`, because the exception that Ray raises for a failed task has another `cause`.
        text: The text that could not be parsed or validated; also `llm_output`, the name in LangChain's parsers.
        position: The index of the character in `text` at which parsing failed, or None.
        validation_errors: The errors as pydantic lists them (`type`, `loc`, `msg`), without the input values.
    """

    cause: StructuredOutputCause
    failure: StructuredOutputCause
    text: str
    position: int | None
    validation_errors: tuple[Mapping[str, Any], ...]
    _own_defaults: ClassVar[Mapping[str, Any]] = {"cause": "invalid", **_NO_VALUE}

    def __init__(
        self, reason: str, details: Mapping[str, Any] | None = None, /, **keywords: Unpack[StructuredOutputDetails]
    ) -> None:
        super().__init__(reason, details, **keywords)  # type: ignore[misc]  # the base takes the attributes of subclasses
        self.validation_errors = tuple(self.validation_errors)
        self.failure = self.cause
        self.llm_output = self.text
        if "is_retryable" not in {**(details or {}), **keywords}:
            self.update(is_retryable=self.cause not in {"refusal", "length"})


class KimiRefusalError(KimiStructuredOutputError, _ModelRefusalError):  # type: ignore[misc, valid-type]  # see there
    """The model refused to produce structured output; `cause` is `refusal`, and `text` has the refusal."""

    _own_defaults: ClassVar[Mapping[str, Any]] = {"cause": "refusal", **_NO_VALUE}

    @property
    def raw_message(self) -> AIMessage | None:
        """The complete reply: `partial` under the name that langchain-core uses."""
        return self.partial

    @raw_message.setter
    def raw_message(self, value: AIMessage | None) -> None:
        self.partial = value
