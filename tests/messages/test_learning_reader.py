from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from langchain_kimi._messages.learning_reader import LearningReader
from langchain_kimi.errors import KimiError


def chunk(text: str, **metadata: Any) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text, response_metadata=metadata))


class Inside:
    """Gives one chunk a piece of bytes, and the last ones at the end."""

    def __init__(self, *last: ChatGenerationChunk) -> None:
        self.has_begun = False
        self.explained: list[KimiError] = []
        self._last = last

    def feed(self, piece: bytes, waited: float) -> Iterator[ChatGenerationChunk]:
        self.has_begun = True
        yield chunk(f"{piece.decode()} {waited}")

    def close(self) -> Iterator[ChatGenerationChunk]:
        yield from self._last

    def explain(self, error: KimiError) -> None:
        self.explained.append(error)


def test_the_reader_yields_what_the_inner_reader_yields() -> None:
    inside, told = Inside(), list[tuple[int, str | None]]()
    reader = LearningReader(inside, lambda *heard: told.append(heard))
    before = reader.has_begun
    assert [part.text for part in reader.feed(b"a", 0.5)] == ["a 0.5"]
    assert (before, reader.has_begun) == (False, True)
    error = KimiError("broken")
    reader.explain(error)
    assert inside.explained == [error]
    assert told == []


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 7}, [(7, None)]),
        ({"prompt_tokens": 0}, [(0, None)]),
        ({"prompt_tokens": None}, []),
        ({}, []),
        (None, []),
    ],
)
def test_a_stream_tells_at_its_end(usage: Any, expected: list[tuple[int, None]]) -> None:
    told = list[tuple[int, str | None]]()
    reader = LearningReader(Inside(chunk("b"), chunk("", token_usage=usage)), lambda *heard: told.append(heard))
    assert [part.text for part in reader.close()] == ["b", ""]
    assert told == expected


def test_a_plain_reply_tells() -> None:
    message = AIMessage("a", response_metadata={"token_usage": {"prompt_tokens": 9}, "provider": "Moonshot AI"})
    result = ChatResult(generations=[ChatGeneration(message=message)])

    class Plain:
        has_begun = False

        def feed(self, _piece: bytes, _waited: float) -> tuple[()]:
            raise NotImplementedError

        def close(self) -> list[ChatResult]:
            return [result]

        def explain(self, error: KimiError) -> None:
            raise NotImplementedError

    told = list[tuple[int, str | None]]()
    assert list(LearningReader(Plain(), lambda *heard: told.append(heard)).close()) == [result]
    assert told == [(9, "moonshotai")]
