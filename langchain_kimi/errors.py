"""Every error that this package raises, as one tree.

```
KimiError                          (ModelError)
 + KimiUsageError                  (ModelInvalidRequestError, ValueError)  invalid arguments: nothing was sent
 |  - KimiBudgetExceededError                                              a `Budget` is used up
 + KimiConnectionError             (ModelConnectionError)          no connection, or it failed before the reply began
 |  - KimiTimeoutError             (ModelTimeoutError)             connect, idle or total timeout
 + KimiStatusError                 (ModelError)                    OpenRouter or a provider refused or failed
 |  - KimiInvalidRequestError      (ModelInvalidRequestError)      400, 412, 413, 422
 |  |  . KimiContextOverflowError  (ContextOverflowError)          more tokens than the context of the model
 |  - KimiAuthenticationError      (ModelAuthenticationError)      401
 |  - KimiPaymentRequiredError     (ModelPermissionDeniedError)    402, and the 403 of a key without credit
 |  - KimiPermissionError          (ModelPermissionDeniedError)    403
 |  |  . KimiModerationError                                       the input was flagged
 |  - KimiNotFoundError            (ModelNotFoundError)            404, and the 400 of an unknown model
 |  - KimiRateLimitError           (ModelRateLimitError)           429
 |  - KimiServerError              (ModelAPIError)                 5xx, and failures inside a 200 or a stream
 + KimiReplyError                  (ModelAPIError)                 a reply arrived, but not a complete answer
    - KimiMalformedReplyError                                      not JSON, or not the documented form
    - KimiReplyTooLargeError                                       larger than any real answer
    - KimiIncompleteStreamError                                    the stream ended before the reply did
    - KimiEmptyReplyError                                          neither text nor reasoning nor a tool call
    - KimiStructuredOutputError    (OutputParserException)         no value that fits the schema
```

Each leaf is also one of langchain-core's `Model*Error` classes, so that its retry and fallback middleware handles it.
The exception carries everything known about the failure, including the partial answer; see `KimiError`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, Unpack

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


class KimiError(ModelError):
    """A call to the model failed.

    Attributes:
        reason: What failed, in the words of the provider where there are any. The text of the exception begins with it.
        advice: What to do about it. The text of the exception ends with it.
        status: The HTTP status, or the status of an error inside a reply that began with 200.
        code: The `code` of the error: a number or a word, or None.
        error_type: OpenRouter's canonical type, such as `rate_limit_exceeded`.
        model: The model that answered, or else the requested one.
        provider: The display name of the provider that served or refused the call.
        raw: The provider's own error (`metadata.raw`), parsed if it is JSON.
        metadata: `error.metadata`, unchanged.
        availability: `error.availability`: suggested fallback models, and what excluded the providers.
        generation_id: OpenRouter's `gen-…` id of the call.
        retry_after: Seconds to wait before the next attempt, if the server named a time.
        is_retryable: Whether the same request may succeed later.
        response: The raw reply: status, headers, text.
        partial: The message received so far: text, reasoning, usage, and tool calls, all of them marked invalid.
        usage: Tokens and cost reported so far, with OpenRouter's keys.
        attempts: The errors of earlier attempts, oldest first.
    """

    advice: str = ""
    status: int | None = None
    code: int | str | None = None
    error_type: str | None = None
    model: str | None = None
    provider: str | None = None
    raw: Any = None
    metadata: Mapping[str, Any] = {}
    availability: Mapping[str, Any] = {}
    generation_id: str | None = None
    retry_after: float | None = None
    response: RawReply | None = None
    partial: AIMessage | None = None
    usage: Mapping[str, Any] | None = None
    attempts: tuple["KimiError", ...] = ()

    def __init__(self, reason: str, **details: Unpack[ErrorDetails]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.update(**details)

    def update(self, **details: Unpack[ErrorDetails]) -> None:
        """Set attributes that became known after the error was created."""
        self.__dict__.update(details)

    @property
    def status_code(self) -> int | None:
        """The HTTP status: `status` under the name that other packages use."""
        return self.status

    @property
    def request_id(self) -> str | None:
        """The generation id, under the name that LangChain's tracers read."""
        return self.generation_id

    def __str__(self) -> str:
        parts = [
            f"HTTP {self.status}" if self.status else "",
            f"provider {self.provider}" if self.provider else "",
            f"model {self.model}" if self.model else "",
            f"generation {self.generation_id}" if self.generation_id else "",
            f"after {len(self.attempts) + 1} attempts" if self.attempts else "",
        ]
        context = ", ".join(part for part in parts if part)
        sentence = self.reason.strip() + (f" ({context})" if context else "")
        return f"{sentence} {self.advice}".strip() if self.advice else sentence

    def __reduce__(self) -> tuple[Any, ...]:
        attributes = {key: value for key, value in self.__dict__.items() if key != "reason"}
        return _rebuild, (type(self), self.reason, attributes)


def _rebuild(kind: type[KimiError], reason: str, attributes: dict[str, Any]) -> KimiError:
    error = kind.__new__(kind, reason)
    KimiError.__init__(error, reason, **attributes)
    return error


class KimiUsageError(KimiError, ModelInvalidRequestError, ValueError):
    """The arguments are invalid: nothing was sent and nothing was billed."""


class KimiBudgetExceededError(KimiUsageError):
    """The budget is used up; see `langchain_kimi.callbacks.Budget`.

    Attributes:
        spent: The cost of all earlier calls, in `unit`.
        limit: The budget, in `unit`.
        unit: `"USD"` or `"tokens"`.
    """

    def __init__(
        self,
        reason: str,
        *,
        spent: float,
        limit: float,
        unit: Literal["USD", "tokens"],
        **details: Unpack[ErrorDetails],
    ) -> None:
        super().__init__(reason, **details)
        self.spent = spent
        self.limit = limit
        self.unit = unit


class KimiConnectionError(KimiError, ModelConnectionError):
    """The connection could not be opened, or it failed before the reply began."""


class KimiTimeoutError(KimiConnectionError, ModelTimeoutError):
    """A timeout passed: connect, read, idle (no content for too long) or total."""


class KimiStatusError(KimiError):
    """OpenRouter or the provider refused the request or failed to serve it."""


class KimiInvalidRequestError(KimiStatusError, ModelInvalidRequestError):
    """The request is invalid (400, 412, 413, 422)."""


class KimiContextOverflowError(KimiInvalidRequestError, ContextOverflowError):
    """The messages, or the messages plus `max_tokens`, exceed the context of the model."""


class KimiAuthenticationError(KimiStatusError, ModelAuthenticationError):
    """The API key is missing, unknown or disabled (401)."""


class KimiPaymentRequiredError(KimiStatusError, ModelPermissionDeniedError):
    """The account or the API key has too little credit for the request (402, or the 403 of a key at its limit)."""


class KimiPermissionError(KimiStatusError, ModelPermissionDeniedError):
    """The API key is not allowed to make this request (403)."""


class KimiModerationError(KimiPermissionError):
    """The input was flagged. `metadata` has the `reasons`, and an excerpt in `flagged_input`."""


class KimiNotFoundError(KimiStatusError, ModelNotFoundError):
    """The model is unknown, or the request's settings exclude all its providers."""


class KimiRateLimitError(KimiStatusError, ModelRateLimitError):
    """Too many requests (429), at OpenRouter or at the provider."""


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


class KimiStructuredOutputError(KimiReplyError, OutputParserException):
    """The reply contains no value that fits the schema; `partial` is the complete reply.

    Attributes:
        cause: `refusal` (the model refused), `length` (the token limit cut the reply off), `empty` (neither text nor a
            tool call), `no_call` (text or other tool calls instead of the requested one), `bad_json`, or `invalid`
            (JSON that does not fit the schema). After `refusal` and `length` the error is not retryable.
        text: The text that could not be parsed or validated; also `llm_output`, the name that LangChain's parsers use.
        position: The index of the character in `text` at which parsing failed, or None.
        validation_errors: The errors as pydantic lists them (`type`, `loc`, `msg`), without the input values.
    """

    cause: StructuredOutputCause
    text: str
    position: int | None
    validation_errors: tuple[Mapping[str, Any], ...]

    def __init__(
        self,
        reason: str,
        *,
        cause: StructuredOutputCause,
        text: str = "",
        position: int | None = None,
        validation_errors: Sequence[Mapping[str, Any]] = (),
        **details: Unpack[ErrorDetails],
    ) -> None:
        details.setdefault("is_retryable", cause not in {"refusal", "length"})
        super().__init__(reason, **details)
        self.cause = cause
        self.text = self.llm_output = text
        self.position = position
        self.validation_errors = tuple(validation_errors)
