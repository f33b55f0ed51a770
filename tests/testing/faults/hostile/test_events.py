from langchain_kimi.testing import Emulator
from langchain_kimi.testing.faults import HOSTILE
from tests.testing.faults.hostile.test_entries import received


def test_each_byte_is_a_chunk(openrouter: Emulator) -> None:
    _, _, sent = received(openrouter, HOSTILE["events: a chunk for each byte"]).partition(b"\r\n\r\n")
    assert sent.startswith(b"1\r\n{\r\n1\r\n")


def test_events_of_many_lines(openrouter: Emulator) -> None:
    _, _, sent = received(openrouter, HOSTILE["events: many lines"]).partition(b"\r\n\r\n")
    assert sent.count(b"data: ,") > 2
