"""Writes that are joined before they are sent."""

from langchain_kimi._openrouter.http.outgoing import SMALL, Outgoing


def test_a_small_write_is_sent_together_with_the_next_one() -> None:
    outgoing = Outgoing()
    assert outgoing.add(b"head") == []
    assert outgoing.add(b"body") == [b"headbody"]
    assert outgoing.add(b"") == []


def test_the_empty_end_of_a_body_sends_a_head_that_waits() -> None:
    outgoing = Outgoing()
    assert outgoing.add(b"head") == []
    assert outgoing.add(b"") == [b"head"]
    assert outgoing.take() == []


def test_a_long_write_is_not_copied() -> None:
    outgoing, body = Outgoing(), bytes(SMALL + 1)
    outgoing.add(b"head")
    assert outgoing.add(body) == [b"head", body]
    assert outgoing.add(body)[0] is body
