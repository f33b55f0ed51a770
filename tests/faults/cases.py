"""What a case of the fault table is: what goes wrong, and what a call must come to, plain and streamed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from langchain_core.messages import AIMessage

from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Fault, RawReply, Reply, ToolCall, faults
from langchain_kimi.testing.serving import dump, raw_response
from tests.faults.ways import Outcome, ask, model_of

TEXT = "one two three four five six"
HALF = "one two three"
"""What the emulator's faults let through of it before they strike."""
ANSWER = Reply(text=TEXT)
CALLS = Reply(text="Let me look.", tool_calls=[ToolCall("get_weather", {"city": "Paris"})])
PROVIDER = "Moonshot AI"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
RETRIES = 2
"""What a model does unless it is told otherwise."""
ENDLESS_TEXT = faults.endless_text().on(ANSWER)
AGAIN = "Trying again may help"


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The call must fail like this.

    Attributes:
        kind: The class of the error, exactly.
        leads: How its text begins: with the reason.
        advises: What its text ends with, or at least says after the facts.
        shown: The text that came before the failure, handed out in a stream, and kept as `partial` either way.
        generation: Whether the generation's id is known.
        usage: Whether usage was reported.
        facts: Further attributes of the error.
    """

    kind: type[KimiError]
    leads: str
    advises: str
    status: int | None = None
    code: int | str | None = None
    provider: str | None = None
    retryable: bool = False
    shown: str = ""
    reasoning: str = ""
    cut_calls: Sequence[str] = ()
    generation: bool = False
    usage: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        """How many requests the server must have seen: never a second one after something was shown."""
        return 1 + RETRIES if self.retryable else 1


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The call must be answered like this."""

    text: str = TEXT
    calls: Sequence[Mapping[str, Any]] = ()
    invalid: int = 0
    finish: str | None = "stop"
    requests: int = 1
    metadata: Mapping[str, Any] = field(default_factory=dict)


Expected = Failed | Answered


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the table.

    Attributes:
        what: What goes wrong.
        waits: The seconds that the server asks to wait.
        script: What the server answers, in order; the last one for ever.
        plain: What must come of an unstreamed call.
        streamed: What must come of a stream, where that is not the same.
        settings: Of the model.
        behaviour: Of the emulator.
    """

    what: str
    script: Sequence[Fault | Reply | RawReply]
    plain: Expected
    streamed: Expected | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    behavior: Mapping[str, Any] = field(default_factory=dict)
    tools: bool = False
    waits: float = 0.0

    @property
    def is_slow(self) -> bool:
        """Return whether it takes until a limit of time or of size is reached."""
        return "timeout" in self.settings or self.script[0] is ENDLESS_TEXT

    def expected(self, *, streamed: bool) -> Expected:
        """What must come of it."""
        return self.streamed or self.plain if streamed else self.plain


@dataclass(frozen=True)
class Played:
    """What came of a case: the outcome of the call, and when the server saw its requests."""

    outcome: Outcome
    requests: int
    gaps: Sequence[float]


def play(case: Case, way: str) -> Played:
    """Play a case with a server of its own, in one of the four ways."""
    with Emulator() as openrouter:
        openrouter.behave(**case.behavior)
        *first, last = case.script
        openrouter.script(*first)
        openrouter.script(last, times=None)
        model = model_of(openrouter, **{"max_retries": RETRIES, "retry_empty": RETRIES, **case.settings})
        outcome = ask(model, way, **({"tools": [WEATHER]} if case.tools else {}))
        times = [request.received_at for request in openrouter.requests]
        model.close()
        return Played(outcome, len(times), [later - earlier for earlier, later in pairwise(times)])


def partial_of(error: KimiError) -> AIMessage:
    """What came before the failure; an empty message where nothing did."""
    return error.partial or AIMessage("")


def two(name: str, *, plain: bytes, streamed: bytes, content_type: str = "") -> Fault:
    """Answer with exactly these bytes: one body to a plain call, another to a stream."""

    def answer(body: bytes, kind: str) -> RawReply:
        return RawReply(headers={"content-type": content_type or kind, "x-generation-id": "gen-1-head"}, body=body)

    return Fault(
        name,
        lambda serving: raw_response(
            answer(streamed, "text/event-stream") if serving.stream else answer(plain, "application/json")
        ),
    )


def stream_of(*events: Any, done: bool = True) -> bytes:
    """Write events, and the end of a stream; an event that is bytes stays as it is."""
    written = [event if isinstance(event, bytes) else dump(event) for event in events]
    return b"".join(b"data: %b\n\n" % event for event in [*written, *([b"[DONE]"] if done else [])])


def chunk(text: str = "", finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One event of a stream."""
    delta = {"role": "assistant", "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": finish}
    return {"id": "gen-1-body", "provider": PROVIDER, "model": "m/k", "choices": [choice], **more}


def whole(text: str = TEXT, finish: str | None = "stop", **more: Any) -> bytes:
    """A plain reply."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return dump({"id": "gen-1-body", "provider": PROVIDER, "model": "m/k", "choices": [choice], **more})
