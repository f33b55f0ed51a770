"""Failures of streams and connections."""

from typing import Any

from langchain_kimi.errors import KimiIncompleteStreamError, KimiMalformedReplyError, KimiTimeoutError
from langchain_kimi.testing import faults
from langchain_kimi.testing.http1 import Pause
from langchain_kimi.testing.responses import COMMENT, PADDING, Fault, Item
from tests.faults.cases import AGAIN, ANSWER, HALF, PROVIDER, TEXT, Answered, Case, Expected, Failed

PATIENCE = 0.25
"""Seconds."""
SHORT = {"timeout": PATIENCE, "max_retries": 0}
ONCE = {"timeout": 2 * PATIENCE, "max_retries": 1}


def cut(leads: str = "The connection broke before the reply ended", **more: Any) -> Failed:
    """Return the failure of a truncated reply."""
    return Failed(kind=KimiIncompleteStreamError, leads=leads, advises=AGAIN, status=200, generation=True, **more)


def silent(**more: Any) -> Failed:
    """Return the failure of a reply that stalled."""
    facts: dict[str, Any] = {
        "leads": f"No content came for {PATIENCE:g} seconds.",
        "advises": "timeout={'idle': seconds}.",
    }
    return Failed(kind=KimiTimeoutError, **{**facts, **more})


def no_json(**more: Any) -> Failed:
    """Return the failure of a reply that is not JSON."""
    facts: dict[str, Any] = {"leads": "The reply is not JSON", "advises": AGAIN, "status": 200, "generation": True}
    return Failed(kind=KimiMalformedReplyError, **{**facts, **more})


def keep_alives(seconds: float, times: int) -> Fault:
    """Return a fault that sends keep-alives before the answer."""
    return Fault(
        "keep-alives",
        lambda serving: serving.respond(
            [*(_pause_and_keep_alive(seconds, streamed=serving.stream) * times), *serving.items()]
        ),
    )


def _pause_and_keep_alive(seconds: float, *, streamed: bool) -> list[Item]:
    return [Pause(seconds), COMMENT if streamed else PADDING]


WHOLE: Expected = Answered()

CASES = (
    Case(
        what="a stream that ends without finish reason and `[DONE]`",
        script=[faults.stream_ends().on(ANSWER)],
        plain=no_json(retryable=True, provider=PROVIDER),
        streamed=cut("The stream ended before the reply did", shown=TEXT, provider=PROVIDER),
    ),
    Case(
        what="a stream that ends without `[DONE]`, a plain body that ends in its middle",
        script=[faults.stream_ends(before="done").on(ANSWER)],
        plain=no_json(retryable=True, provider=PROVIDER),
        streamed=WHOLE,
    ),
    Case(
        what="the connection is reset",
        script=[faults.connection_cut().on(ANSWER)],
        plain=cut(retryable=True),
        streamed=cut(shown=HALF, provider=PROVIDER),
    ),
    Case(
        what="the connection is closed within the body",
        script=[faults.connection_cut(reset=False).on(ANSWER)],
        plain=cut(retryable=True),
        streamed=cut(shown=HALF, provider=PROVIDER),
    ),
    Case(
        what="the connection is closed before the answer begins, then an answer",
        script=[faults.connection_cut(reset=False, after=0), ANSWER],
        plain=Answered(requests=2),
    ),
    Case(
        what="an event that is not JSON",
        script=[faults.invalid_json().on(ANSWER)],
        plain=no_json(retryable=True, provider=PROVIDER),
        streamed=no_json(leads="An event of the stream is not JSON.", shown=HALF, provider=PROVIDER),
    ),
    Case(
        what="an event with null `choices` within an answer",
        script=[faults.null_choices_event().on(ANSWER)],
        plain=no_json(leads="The reply has no choices.", retryable=True, provider=PROVIDER),
        streamed=WHOLE,
    ),
    Case(
        what="silence before the reply",
        script=[faults.silence("headers")],
        settings=SHORT,
        plain=silent(),
    ),
    Case(
        what="silence before the reply, then an answer",
        script=[faults.silence("headers"), ANSWER],
        settings=ONCE,
        plain=Answered(requests=2),
    ),
    Case(
        what="silence before the first event",
        script=[faults.silence("first_event")],
        settings=SHORT,
        plain=silent(generation=True, status=200),
    ),
    Case(
        what="silence within the answer",
        script=[faults.silence("middle").on(ANSWER)],
        settings=SHORT,
        plain=silent(generation=True, status=200),
        streamed=silent(generation=True, status=200, shown=HALF, provider=PROVIDER),
    ),
    Case(
        what="silence after the answer, before `[DONE]`",
        script=[faults.silence("done").on(ANSWER)],
        settings=SHORT,
        plain=silent(generation=True, status=200),
        streamed=WHOLE,
    ),
    Case(
        what="endless keep-alives",
        script=[faults.comments_for_ever(0.01)],
        settings=SHORT,
        plain=silent(generation=True, status=200),
    ),
    Case(
        what="endless keep-alives within the answer",
        script=[faults.comments_for_ever(0.01, after=3).on(ANSWER)],
        settings=SHORT,
        plain=silent(generation=True, status=200),
        streamed=silent(generation=True, status=200, shown=HALF, provider=PROVIDER),
    ),
    Case(
        what="keep-alives for a while, then the answer",
        script=[keep_alives(0.02, 3).on(ANSWER)],
        settings={"timeout": {"idle": 5}},
        plain=WHOLE,
    ),
    Case(
        what="keep-alives until the total time limit",
        script=[faults.comments_for_ever(0.01)],
        settings={"timeout": {"idle": 5, "total": PATIENCE}},
        plain=Failed(
            kind=KimiTimeoutError, leads=f"The call took longer than its total time of {PATIENCE:g} seconds.",
            advises="or request less.", generation=True, status=200,
        ),
    ),
    Case(
        what="a few bytes at a time, with split characters",
        script=[faults.slow_dribble(0.0001).on(ANSWER)],
        plain=WHOLE,
    ),
)  # fmt: skip
