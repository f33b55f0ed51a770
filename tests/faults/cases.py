"""The cases of the fault table: a fault and the expected outcome of a call, plain and streamed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from langchain_core.messages import AIMessage

from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Behavior, Emulator, Fault, RawReply, Reply, ToolCall, faults
from langchain_kimi.testing.responses import dump, raw_response
from tests.faults.ways import Outcome, ask, model_of

TEXT = "one two three four five six"
HALF = "one two three"
"""The part of `TEXT` that the emulator sends before a fault."""
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
"""The default of `max_retries`."""
ENDLESS_TEXT = faults.endless_text().on(ANSWER)
AGAIN = "Trying again may help"


_SECONDS = re.compile(r"[\d.]+(?= seconds)")


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The expected failure of a call.

    Attributes:
        kind: The exact class of the error.
        leads: The beginning of the error's text, which is the reason.
        advises: The advice at the end of the error's text.
        shown: The text before the failure, which is streamed, and is on `partial` in any case.
        generation: Whether the error has the generation id.
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
        """The number of requests. A call is not retried after text was streamed."""
        return 1 + RETRIES if self.retryable else 1


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The expected answer of a call."""

    text: str = TEXT
    calls: Sequence[Mapping[str, Any]] = ()
    invalid: int = 0
    finish: str | None = "stop"
    requests: int = 1
    metadata: Mapping[str, Any] = field(default_factory=dict)


Expected = Failed | Answered


@dataclass(frozen=True, kw_only=True)
class Case:
    """A row of the table.

    Attributes:
        what: A description of the fault.
        waits: The seconds of the server's Retry-After.
        script: The server's replies, in order. The last one is repeated.
        plain: The expected outcome of a plain call.
        streamed: The expected outcome of a stream. None: the same.
        settings: Settings of the model.
        behavior: Switches of the emulator.
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
        """Return whether the case ends only at a time limit or size limit."""
        return "timeout" in self.settings or self.script[0] is ENDLESS_TEXT

    def expected(self, *, streamed: bool) -> Expected:
        """Return the expected outcome."""
        return self.streamed or self.plain if streamed else self.plain

    def with_longer_limits(self, factor: int) -> "Case":
        """Return the case with longer time limits, if it has any."""
        limits = self.settings.get("timeout")
        if limits is None:
            return self
        longer = {name: factor * one for name, one in limits.items()} if isinstance(limits, dict) else factor * limits
        return replace(
            self,
            settings={**self.settings, "timeout": longer},
            plain=_with_longer_limits(self.plain, factor),
            streamed=self.streamed and _with_longer_limits(self.streamed, factor),
        )


def _with_longer_limits(expected: Expected, factor: int) -> Expected:
    if isinstance(expected, Answered):
        return expected
    return replace(expected, leads=_SECONDS.sub(lambda match: f"{factor * float(match[0]):g}", expected.leads))


@dataclass(frozen=True)
class Played:
    """The result of a case: the outcome of the call, and the times of its requests."""

    outcome: Outcome
    requests: int
    gaps: Sequence[float]


def play(case: Case, way: str) -> Played:
    """Play a case with its own server, in one of the four ways."""
    with Emulator() as openrouter:
        return play_with(openrouter, case, way)


def play_with(openrouter: Emulator, case: Case, way: str) -> Played:
    """Play a case with a server that may have played others."""
    openrouter.clear()
    openrouter.behavior = Behavior()
    openrouter.behave(**case.behavior)
    *first, last = case.script
    openrouter.script(*first)
    openrouter.script(last, times=None)
    model = model_of(openrouter, **{"max_retries": RETRIES, "retry_empty": RETRIES, **case.settings})
    more: dict[str, Any] = {"tools": [WEATHER]} if case.tools else {}
    outcome = ask(model, way, **more)
    times = [request.received_at for request in openrouter.requests]
    model.close()
    return Played(outcome, len(times), [later - earlier for earlier, later in pairwise(times)])


def partial_of(error: KimiError) -> AIMessage:
    """Return the partial answer of an error, or an empty message."""
    return error.partial or AIMessage("")


def two(name: str, *, plain: bytes, streamed: bytes, content_type: str = "") -> Fault:
    """Return a fault with exact bytes: one body for plain calls, another for streams."""

    def answer(body: bytes, kind: str) -> RawReply:
        return RawReply(headers={"content-type": content_type or kind, "x-generation-id": "gen-1-head"}, body=body)

    return Fault(
        name,
        lambda serving: raw_response(
            answer(streamed, "text/event-stream") if serving.stream else answer(plain, "application/json")
        ),
    )


def stream_of(*events: Any, done: bool = True) -> bytes:
    """Return the bytes of a stream with these events. Events of type bytes are not encoded."""
    written = [event if isinstance(event, bytes) else dump(event) for event in events]
    return b"".join(b"data: %b\n\n" % event for event in [*written, *([b"[DONE]"] if done else [])])


def chunk(text: str = "", finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an event of a stream."""
    delta = {"role": "assistant", "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "native_finish_reason": finish}
    return {"id": "gen-1-body", "provider": PROVIDER, "model": "m/k", "choices": [choice], **more}


def whole(text: str = TEXT, finish: str | None = "stop", **more: Any) -> bytes:
    """Return the body of a plain reply."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return dump({"id": "gen-1-body", "provider": PROVIDER, "model": "m/k", "choices": [choice], **more})
