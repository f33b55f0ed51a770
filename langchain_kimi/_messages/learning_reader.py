"""A reader of a reply that tells, at its end, how many tokens the prompt had, and for which host."""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar, cast

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from langchain_kimi._messages.serving_host import host_of
from langchain_kimi.errors import KimiError
from langchain_kimi.openrouter.reading import Reader

Part = TypeVar("Part", bound=ChatResult | ChatGenerationChunk)


class LearningReader(Generic[Part]):
    """Reads as the reader inside does, and tells the prompt's tokens when the reply is whole.

    Args:
        reader: The reader inside.
        tell: Is told how many tokens the prompt had, once, if the reply says so, and the slug of the host.
    """

    def __init__(self, reader: Reader[Part], tell: Callable[[int, str | None], object]) -> None:
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
            message = part.generations[0].message if isinstance(part, ChatResult) else part.message
            tokens = (message.response_metadata.get("token_usage") or {}).get("prompt_tokens")
            if isinstance(tokens, int):
                self._tell(tokens, host_of(cast("AIMessage", message)))
            yield part

    def explain(self, error: KimiError) -> Iterable[Part]:
        """Add to an error what came of the answer until then."""
        return self._reader.explain(error)
