import json

from langchain_kimi.testing import Emulator
from langchain_kimi.testing.faults import HOSTILE
from tests.testing.faults.hostile.test_entries import received


def test_a_complete_answer_with_ten_thousand_calls(openrouter: Emulator) -> None:
    _, _, sent = received(openrouter, HOSTILE["bomb: calls"]).partition(b"\r\n\r\n")
    assert len(json.loads(sent)["choices"][0]["message"]["tool_calls"]) == 10_000


def test_more_fields_of_a_reply(openrouter: Emulator) -> None:
    _, _, sent = received(openrouter, HOSTILE["value: a negative cost"]).partition(b"\r\n\r\n")
    assert json.loads(sent)["usage"]["cost"] == -3000


def test_a_text_without_an_end_begins_as_the_reply(openrouter: Emulator) -> None:
    sent = received(openrouter, HOSTILE["body: a text for ever"], enough=lambda sent: b"and so on and so on" in sent)
    assert b'"content":"' in sent
