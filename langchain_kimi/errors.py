"""Everything that can go wrong, as one tree.

```
KimiError                            (ModelError)
 + KimiUsageError                  (ModelInvalidRequestError, ValueError)  refused here: nothing was sent
 |  - KimiBudgetExceededError                                         a budget leaves no room for the call
 + KimiConnectionError               (ModelConnectionError)   no connection, or it broke before the reply began
 |  - KimiTimeoutError               (ModelTimeoutError)      connecting, silence, no content, or the total time
 + KimiStatusError                   (ModelError)             OpenRouter or the host refused or failed
 |  - KimiInvalidRequestError        (ModelInvalidRequestError)     400, 412, 413, 422
 |  |  . KimiContextOverflowError    (ContextOverflowError)         told by its error type, not by its prose alone
 |  - KimiAuthenticationError        (ModelAuthenticationError)     401
 |  - KimiPaymentRequiredError                (ModelPermissionDeniedError)   402, and the 403 of an exhausted key
 |  - KimiPermissionError            (ModelPermissionDeniedError)   403
 |  |  . KimiModerationError                                        the input was flagged
 |  - KimiNotFoundError              (ModelNotFoundError)           404, and the 400 of an unknown model
 |  - KimiRateLimitError             (ModelRateLimitError)          429
 |  - KimiServerError                (ModelAPIError)                5xx, and failures inside a 200 or a stream
 + KimiReplyError                    (ModelAPIError)          it answered, but not with a whole answer
    - KimiMalformedReplyError                                 not JSON, or not the shape of a reply
    - KimiReplyTooLargeError                                  larger than any answer is
    - KimiIncompleteStreamError                                      the bytes ended before the reply did
    - KimiEmptyReplyError                                     nothing in it
    - KimiStructuredOutputError         (OutputParserException)        no value of the shape that was asked for
```

Each leaf is also one of langchain-core's `Model*Error`, so that its retry and fallback middleware understand it.
What is known of a failure hangs on the exception (see `KimiError`); nothing of an answer that came so far is lost.
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
    """The reply as it came, in the shape that LangChain's tracers look for on `exception.response`."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    def json(self) -> Any:
        """Parse the text; raises `ValueError` when it is not JSON, as an HTTP library's response does."""
        return json.loads(self.text)


class Facts(TypedDict, total=False):
    """What may be known of a failure; the same names are attributes of `KimiError`."""

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
        reason: What the upstream said, or what happened here; the text of the exception leads with it.
        advice: What to do about it; the text ends with it.
        status: The HTTP status, or the one that an error inside a 200 reply names.
        code: The wire's own code: a number or a word, or None when it sent none.
        error_type: OpenRouter's canonical type, such as `rate_limit_exceeded`.
        model: The model that was asked, or that answered.
        provider: The host that served or refused the call.
        raw: The host's own words (`metadata.raw`), parsed where they are JSON.
        metadata: `error.metadata` as it came.
        availability: `error.availability`: fallback models, what excluded the providers.
        generation_id: OpenRouter's `gen-…`, by which a call can be looked up.
        retry_after: Seconds that the other side asks to wait.
        is_retryable: Whether the same request may succeed later.
        response: The raw reply: status, headers, text.
        partial: The message as far as it came: text, reasoning, tool calls (all of them marked invalid), usage.
        usage: Tokens and cost as far as they were reported, in the wire's words.
        attempts: The errors of the attempts before this one, oldest first.
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

    def __init__(self, reason: str, **facts: Unpack[Facts]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.learn(**facts)

    def learn(self, **facts: Unpack[Facts]) -> None:
        """Add what has become known since the error was made."""
        self.__dict__.update(facts)

    @property
    def status_code(self) -> int | None:
        """The HTTP status, under the name that other packages use."""
        return self.status

    @property
    def request_id(self) -> str | None:
        """The generation id, under the name that LangChain's tracers use."""
        return self.generation_id

    def __str__(self) -> str:
        known = [
            f"HTTP {self.status}" if self.status else "",
            f"provider {self.provider}" if self.provider else "",
            f"model {self.model}" if self.model else "",
            f"generation {self.generation_id}" if self.generation_id else "",
            f"after {len(self.attempts) + 1} attempts" if self.attempts else "",
        ]
        facts = ", ".join(fact for fact in known if fact)
        sentence = self.reason.strip() + (f" ({facts})" if facts else "")
        return f"{sentence} {self.advice}".strip() if self.advice else sentence

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {key: value for key, value in self.__dict__.items() if key != "reason"}
        return _rebuild, (type(self), self.reason, facts)


def _rebuild(kind: type[KimiError], reason: str, facts: dict[str, Any]) -> KimiError:
    error = kind.__new__(kind, reason)
    KimiError.__init__(error, reason, **facts)
    return error


class KimiUsageError(KimiError, ModelInvalidRequestError, ValueError):
    """The request was refused here; nothing was sent and nothing was billed."""


class KimiBudgetExceededError(KimiUsageError):
    """A budget leaves no room for the call; see `langchain_kimi.callbacks.Budget`.

    Attributes:
        spent: What the calls before this one cost, in `unit`.
        limit: What they may cost, in `unit`.
        unit: `"USD"` or `"tokens"`.
    """

    def __init__(
        self, reason: str, *, spent: float, limit: float, unit: Literal["USD", "tokens"], **facts: Unpack[Facts]
    ) -> None:
        super().__init__(reason, **facts)
        self.spent = spent
        self.limit = limit
        self.unit = unit


class KimiConnectionError(KimiError, ModelConnectionError):
    """No connection came about, or it broke before the reply began."""


class KimiTimeoutError(KimiConnectionError, ModelTimeoutError):
    """A time limit passed: connecting, silence, no content for too long, or the total."""


class KimiStatusError(KimiError):
    """OpenRouter or the host refused the request or failed at it."""


class KimiInvalidRequestError(KimiStatusError, ModelInvalidRequestError):
    """The request is not acceptable as it is (400, 412, 413, 422)."""


class KimiContextOverflowError(KimiInvalidRequestError, ContextOverflowError):
    """The messages, or they and `max_tokens` together, do not fit into the model's context."""


class KimiAuthenticationError(KimiStatusError, ModelAuthenticationError):
    """The key is missing, unknown or disabled (401)."""


class KimiPaymentRequiredError(KimiStatusError, ModelPermissionDeniedError):
    """The account or the key has no credit left for this request (402, or the 403 of an exhausted key)."""


class KimiPermissionError(KimiStatusError, ModelPermissionDeniedError):
    """The key may not do this (403)."""


class KimiModerationError(KimiPermissionError):
    """The input was flagged; `metadata` has `reasons` and an excerpt in `flagged_input`."""


class KimiNotFoundError(KimiStatusError, ModelNotFoundError):
    """The model is unknown, or no provider is left for it under the request's settings."""


class KimiRateLimitError(KimiStatusError, ModelRateLimitError):
    """Too many requests (429), at OpenRouter or at the host."""


class KimiServerError(KimiStatusError, ModelAPIError):
    """The other side failed (5xx), also in the midst of a reply that began with 200."""


class KimiReplyError(KimiError, ModelAPIError):
    """The other side answered, but not with a whole answer."""


class KimiMalformedReplyError(KimiReplyError):
    """The reply is not JSON, or not of a reply's shape."""


class KimiReplyTooLargeError(KimiReplyError):
    """The reply, or one event of it, is larger than any answer is; reading was given up."""


class KimiIncompleteStreamError(KimiReplyError):
    """The bytes ended before the reply did: neither a finish reason nor `[DONE]` came."""


class KimiEmptyReplyError(KimiReplyError):
    """The reply finished with nothing in it: no text, no reasoning, no tool call, no refusal."""


StructuredOutputCause = Literal["refusal", "length", "empty", "no_call", "bad_json", "invalid"]


class KimiStructuredOutputError(KimiReplyError, OutputParserException):
    """The reply holds no value of the shape that was asked for; `partial` is the whole reply as it came.

    Attributes:
        cause: `refusal` (it would not), `length` (cut by the token limit), `empty` (neither text nor a call),
            `no_call` (text or other calls instead of the one asked for), `bad_json`, or `invalid` (JSON, but not
            of the schema). After `refusal` and `length` the same request is not worth a second try.
        text: What would not parse or fit; also `llm_output`, the name that LangChain's parsers use.
        position: The character of `text` at which the JSON broke.
        validation_errors: What does not fit, as pydantic lists it (`type`, `loc`, `msg`), without the values.
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
        **facts: Unpack[Facts],
    ) -> None:
        facts.setdefault("is_retryable", cause not in {"refusal", "length"})
        super().__init__(reason, **facts)
        self.cause = cause
        self.text = self.llm_output = text
        self.position = position
        self.validation_errors = tuple(validation_errors)
