"""Damaged HTTP responses over a socket, in all four ways: a message or a typed error, without a wait."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Fault, Reply, ToolCall, faults
from langchain_kimi.testing.http1 import Cut, Response, frame, response_head
from langchain_kimi.testing.responses import OutgoingReply, body_of
from tests.faults.ways import WAYS, ask, model_of
from tests.fuzz.damages import DAMAGES, Damage, damaged

REPLY = Reply(text="one two three four five", tool_calls=[ToolCall("search", {"q": "x"})])
FORMS = ("length", "chunks", "gzip", "error")
AT_ONCE: dict[str, Any] = {"timeout": {"connect": 5.0, "idle": 5.0, "total": 10.0}, "max_retries": 0}


def written(form: str, serving: OutgoingReply) -> bytes:
    """An undamaged response, head and body."""
    if form in {"gzip", "error"}:
        fault = faults.compressed(damage="none") if form == "gzip" else faults.rate_limited(0)
        response = fault.play(serving)
        return response_head(response, chunked=False) + b"".join(step for step in response.steps if type(step) is bytes)
    body, head = body_of(serving), serving.respond([])
    if form == "length":
        response = Response(head.status, head.headers, (body,), chunked=False)
        return response_head(response, chunked=False) + body
    pieces = [frame(body[start : start + 90]) for start in range(0, len(body), 90)]
    return response_head(head, chunked=True) + b"".join(pieces) + b"0\r\n\r\n"


def broken(form: str, damages: list[Damage]) -> Fault:
    """Return the response with all of the damage."""

    def play(serving: OutgoingReply) -> Response:
        sent = written(form, serving)
        for damage in damages:
            sent = damaged(sent, damage)
        return Response(before=[sent, Cut(reset=False)])

    return Fault("damaged on its way", play)


@pytest.fixture(scope="module")
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.parametrize("form", FORMS)
def test_an_undamaged_reply_is_a_message(openrouter: Emulator, form: str) -> None:
    for way in WAYS:
        openrouter.fail_next(broken(form, []).on(REPLY))
        with model_of(openrouter, **AT_ONCE) as model:
            outcome = ask(model, way)
        assert (outcome.error is not None) is (form == "error")


@pytest.mark.parametrize("way", WAYS)
@given(form=st.sampled_from(FORMS), damages=st.lists(DAMAGES, min_size=1, max_size=4))
def test_a_damaged_reply_is_a_message_or_a_kimi_error(
    openrouter: Emulator, way: str, form: str, damages: list[Damage]
) -> None:
    openrouter.clear()
    openrouter.fail_next(broken(form, damages).on(REPLY))
    with model_of(openrouter, **AT_ONCE) as model:
        outcome = ask(model, way)
    if outcome.error is None:
        assert isinstance(outcome.message, AIMessage)
    else:
        assert isinstance(outcome.error, KimiError)
    assert len(openrouter.requests) == 1
