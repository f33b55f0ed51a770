"""One measured call: the same response read twice, without and with the repairs of this package."""

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_kimi._calls import new_call
from langchain_kimi._keys import aresolve
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi._openrouter.http.transport import aexchange
from langchain_kimi._openrouter.reply.reading import Reader, ResponseHead
from langchain_kimi._settings import chosen_host
from langchain_kimi._tracing import RetryReport
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiError
from langchain_kimi.verify.cases import Case


@dataclass(frozen=True, slots=True)
class Observation:
    """The answer of a host, read without repairs (None if that failed) and with them, and its times in seconds."""

    before: AIMessage | None
    after: AIMessage
    first_token: float
    total: float

    @property
    def cost(self) -> float | None:
        """US dollars that were charged; None if that was not reported."""
        cost = self.after.response_metadata.get("cost")
        return float(cost) if isinstance(cost, int | float) else None

    @property
    def tokens(self) -> tuple[int, int]:
        """The tokens of the prompt and of the answer."""
        usage = self.after.usage_metadata
        return (usage["input_tokens"], usage["output_tokens"]) if usage else (0, 0)


class TwiceRead:
    """Feeds the bytes of a response to two readers. Errors of the unrepaired one do not end the call."""

    def __init__(self, repaired: Reader[Any], plain: Reader[Any]) -> None:
        self._repaired = repaired
        self._plain = plain
        self.chunks: list[ChatGenerationChunk] = []
        self.failed = False

    @property
    def has_begun(self) -> bool:
        """Whether a chunk was returned; then the call is not retried."""
        return self._repaired.has_begun

    def feed(self, piece: bytes, waited: float) -> Iterator[Any]:
        """Read the next bytes. Yield the repaired chunks."""
        self._read_plain(piece, waited)
        yield from self._repaired.feed(piece, waited)

    def close(self) -> Iterator[Any]:
        """End the response. Yield the rest of the repaired chunks."""
        self._read_plain(None, 0.0)
        yield from self._repaired.close()

    def explain(self, error: KimiError) -> Any:
        """Add the partial answer to an error."""
        return self._repaired.explain(error)

    def _read_plain(self, piece: bytes | None, waited: float) -> None:
        if self.failed:
            return
        try:
            self.chunks.extend(self._plain.close() if piece is None else self._plain.feed(piece, waited))
        except KimiError:
            self.failed = True

    def message(self) -> AIMessage | None:
        """Return the unrepaired message; None if it could not be read."""
        return None if self.failed else _sum(self.chunks)


async def observe(model: ChatKimi, case: Case, clock: Clock = CLOCK) -> Observation:
    """Stream the answer of a model to a case, and return it with its times.

    Raises:
        KimiError: The call failed.
    """
    key = await aresolve(model.openrouter_api_key, chosen_host(model))
    messages = model._convert_input(cast("Any", case.messages)).to_messages()  # noqa: SLF001 - as a call does
    arguments = {**case.parameters, **({"tools": case.tools} if case.tools else {})}
    arguments = {"max_tokens": model.max_tokens, **arguments}
    call, plain = (
        new_call(one, messages, arguments, RetryReport(None), key=key, streamed=True)
        for one in (model, model.model_copy(update={"repairs": "none"}))
    )
    readers: list[TwiceRead] = []

    def new_reader(head: ResponseHead) -> TwiceRead:
        # Each reader sets the idle timer of its head.
        copied = ResponseHead(head.status, head.headers, head.now)
        readers.append(TwiceRead(call.new_reader(head), plain.new_reader(copied)))
        return readers[-1]

    started, first, chunks = clock.monotonic(), None, []
    async with aclosing(aexchange(replace(call, new_reader=new_reader, clock=clock))) as parts:
        async for chunk in parts:
            first = clock.monotonic() if first is None else first
            chunks.append(chunk)
    ended = clock.monotonic()
    return Observation(readers[-1].message(), _sum(chunks), (first or ended) - started, ended - started)


def _sum(chunks: list[ChatGenerationChunk]) -> AIMessage:
    [first, *rest] = [cast("AIMessageChunk", chunk.message) for chunk in chunks] or [AIMessageChunk(content="")]
    return sum(rest, first) if not rest else first.__add__(cast("Any", rest))
