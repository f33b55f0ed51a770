import json
from typing import Any, TypeAlias

import httpx
import pytest

from langchain_kimi.testing import Emulator, Fault, Reply, faults
from tests.testing.chat import DONE, body, data, deltas, events, post, text

TEXT = "one two three four"
BOTH = pytest.mark.parametrize("stream", [False, True])


Served: TypeAlias = tuple[Emulator, httpx.Client]


@pytest.fixture
def served(openrouter: Emulator, client: httpx.Client) -> Served:
    return openrouter, client


def streamed(openrouter: Emulator, client: httpx.Client, fault: Fault) -> tuple[list[Any], bool]:
    """Return the parsed events of a stream, and whether it ended with `[DONE]`."""
    openrouter.fail_next(fault.on(Reply(text=TEXT)))
    sent = data(post(client, stream=True).text)
    return [json.loads(event) for event in sent if event != DONE], sent[-1:] == [DONE]


def read(openrouter: Emulator, client: httpx.Client, fault: Fault, *, stream: bool) -> bytes:
    """Return the received bytes of a body that breaks off or stalls."""
    openrouter.fail_next(fault.on(Reply(text=TEXT)))
    received = b""
    more: dict[str, Any] = {"json": body(stream=stream), "timeout": 0.5}
    try:
        with client.stream("POST", "/chat/completions", **more) as response:
            for piece in response.iter_raw():
                received += piece
    except (httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError):
        return received
    pytest.fail("The body came to its end.")


@pytest.mark.parametrize(("where", "before"), [("first", ""), ("middle", "one two"), ("after_finish", TEXT)])
@pytest.mark.parametrize(("choices", "done"), [(False, False), (False, True), (True, False), (True, True)])
def test_an_error_in_a_stream(served: Served, where: Any, before: str, *, choices: bool, done: bool) -> None:
    openrouter, client = served
    sent, ended = streamed(openrouter, client, faults.stream_error(where, choices=choices, done=done))
    *good, failed = sent
    assert text(good) == before
    assert failed["error"]["code"] == 502
    assert ("choices" in failed) is choices
    assert not choices or failed["choices"][0]["finish_reason"] == "error"
    assert ended is done
    assert not any("usage" in event for event in sent)


def test_the_error_in_a_stream_can_be_chosen(openrouter: Emulator, client: httpx.Client) -> None:
    error = {"code": "server_error", "message": "Odd."}
    sent, _ = streamed(openrouter, client, faults.stream_error(error=error))
    assert sent[-1]["error"] == error
    openrouter.fail_next(faults.stream_error(error=error))
    assert post(client).json()["error"] == error


def test_an_event_without_choices(openrouter: Emulator, client: httpx.Client) -> None:
    sent, ended = streamed(openrouter, client, faults.null_choices_event())
    assert [event["choices"] is None for event in sent].count(True) == 1
    assert text([event for event in sent if event["choices"]]) == TEXT
    assert ended
    openrouter.fail_next(faults.null_choices_event())
    assert post(client).json()["choices"] is None


def test_an_event_that_is_not_json(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.fail_next(faults.invalid_json().on(Reply(text=TEXT)))
    sent = data(post(client, stream=True).text)
    broken = [event for event in sent if event != DONE and not event.endswith("}")]
    assert len(broken) == 1
    assert sent[-1] == DONE
    openrouter.fail_next(faults.invalid_json())
    with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
        post(client).json()


@pytest.mark.parametrize("before", ["finish", "done"])
def test_a_stream_that_ends_early(openrouter: Emulator, client: httpx.Client, before: Any) -> None:
    sent, ended = streamed(openrouter, client, faults.stream_ends(before=before))
    assert text(sent) == TEXT
    assert not ended
    assert ("stop" in [choice["finish_reason"] for event in sent for choice in event["choices"]]) is (before == "done")
    openrouter.fail_next(faults.stream_ends(before=before))
    with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
        post(client).json()


@BOTH
@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_breaks(openrouter: Emulator, client: httpx.Client, *, stream: bool, reset: bool) -> None:
    received = read(openrouter, client, faults.connection_cut(reset=reset), stream=stream)
    assert b'" two"' in received or not stream
    assert b'"usage"' not in received or not stream
    assert openrouter.requests[0].wait()


@pytest.mark.parametrize("after", [0, 2])
def test_a_connection_that_breaks_after_some_events(openrouter: Emulator, client: httpx.Client, after: int) -> None:
    received = read(openrouter, client, faults.connection_cut(after=after), stream=True)
    assert received.count(b"data: ") == after


@pytest.mark.waits
@BOTH
@pytest.mark.parametrize("before", ["headers", "first_event", "middle", "done"])
def test_silence(openrouter: Emulator, client: httpx.Client, before: Any, *, stream: bool) -> None:
    received = read(openrouter, client, faults.silence(before), stream=stream)
    assert (received == b"") is (before == "headers")
    counts = {"headers": 0, "first_event": 0, "middle": 2, "done": 6}
    assert received.count(b"data: ") == (counts[before] if stream else 0)
    assert (b'{"id"' in received) is (before in ("middle", "done"))
    (request,) = openrouter.requests
    assert request.wait()
    assert not request.finished


@BOTH
def test_endless_comments(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    openrouter.fail_next(faults.comments_for_ever(0.001, after=2))
    received = b""
    with client.stream("POST", "/chat/completions", json=body(stream=stream)) as response:
        for piece in response.iter_raw():
            received += piece
            if received.count(b": OPENROUTER PROCESSING" if stream else b"\n         \n") > 5:
                break
    assert received.count(b"data: ") == (2 if stream else 0)
    assert openrouter.requests[0].wait()


@BOTH
def test_a_reply_in_small_pieces(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    openrouter.fail_next(faults.slow_dribble(0).on(Reply(text="né, ja")))
    if stream:
        assert text(events(client)) == "né, ja"
    else:
        assert post(client).json()["choices"][0]["message"]["content"] == "né, ja"
    openrouter.fail_next(faults.slow_dribble().on(Reply(text="a")))
    with client.stream("POST", "/chat/completions", json=body(stream=stream)) as response:
        assert max(len(piece) for piece in response.iter_raw()) <= 32


def test_reasoning_counts_as_content(openrouter: Emulator, client: httpx.Client) -> None:
    openrouter.fail_next(faults.stream_ends().on(Reply(reasoning="Hm hm")))
    sent = [json.loads(event) for event in data(post(client, stream=True).text)]
    assert "".join(delta["reasoning"] for delta in deltas(sent)) == "Hm hm"
