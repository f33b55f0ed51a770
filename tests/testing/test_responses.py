import httpx
import pytest

from langchain_kimi.testing import Emulator, Reply
from langchain_kimi.testing.responses import COMMENT, PADDING, dump, json_response
from tests.testing.chat import body, post


def test_json_has_no_blanks_and_no_escapes() -> None:
    assert dump({"a": ["é", 1]}) == '{"a":["é",1]}'.encode()
    assert dump("\ud83d \\") == b'"\\ud83d \\\\"'


def test_a_json_response() -> None:
    response = json_response(404, {}, {"x-odd": "1"})
    assert (response.status, response.chunked, response.steps) == (404, False, (b"{}",))
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-odd"] == "1"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("comments", [False, True])
def test_keep_alives(openrouter: Emulator, client: httpx.Client, *, stream: bool, comments: bool) -> None:
    openrouter.behave(comments=comments)
    sent = post(client, stream=stream).content
    assert sent.startswith(COMMENT if stream else PADDING) is comments
    assert (COMMENT in sent) is (comments and stream)


@pytest.mark.parametrize("stream", [False, True])
def test_pauses_separate_the_bytes(openrouter: Emulator, client: httpx.Client, *, stream: bool) -> None:
    openrouter.behave(pause=0.001, comments=False)
    openrouter.script(Reply(text="a b c"))
    with client.stream("POST", "/chat/completions", json=body(stream=stream)) as response:
        pieces = list(response.iter_raw())
    # Three deltas, the finish event, the usage event and [DONE], or one body.
    assert len(pieces) == (6 if stream else 1)
