"""A reader of a reply that tells, at its end, how many tokens the prompt had."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from langchain_core.outputs import ChatGenerationChunk, ChatResult

from langchain_kimi.errors import KimiError
from langchain_kimi.openrouter.reading import Reader

Part = TypeVar("Part", bound=ChatResult | ChatGenerationChunk)


class LearningReader(Generic[Part]):
    """Reads as the reader inside does, and tells the prompt's tokens when the reply is whole.

    Args:
        reader: The reader inside.
        tell: Is told how many tokens the prompt had, once, if the reply says so.
    """

    def __init__(self, reader: Reader[Part], tell: Callable[[int], object]) -> None:
        self._reader = reader
        self._tell = tell

    @property
    def has_begun(self) -> bool:
        """Whether something of the answer was already handed out."""
        return self._reader.has_begun

    def feed(self, piece: bytes, waited: float) -> Iterable[Part]:
        """Take the next bytes; gives what they complete."""
        return self._reader.feed(piece, waited)

    def close(self) -> Iterator[Part]:
        """Take the end of the bytes; yields the rest."""
        for part in self._reader.close():
            if (tokens := _prompt_tokens(part)) is not None:
                self._tell(tokens)
            yield part

    def explain(self, error: KimiError) -> None:
        """Add to an error what came of the answer until then."""
        self._reader.explain(error)


def _prompt_tokens(part: ChatResult | ChatGenerationChunk) -> int | None:
    message = part.generations[0].message if isinstance(part, ChatResult) else part.message
    tokens = (message.response_metadata.get("token_usage") or {}).get("prompt_tokens")
    return tokens if isinstance(tokens, int) else None
