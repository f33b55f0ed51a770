"""The gate that the attempts of async calls pass."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from langchain_kimi import ChatKimi, KimiUsageError
from langchain_kimi._openrouter.http.gates import current_gate
from langchain_kimi.testing import Emulator, Reply, faults


class Recorder:
    """A gate that writes down what passes it."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.entered: list[tuple[str, bytes, UUID | None]] = []
        self.left: list[tuple[int, str]] = []
        self._refusal = refusal

    async def enter(self, url: str, body: bytes, run_id: UUID | None) -> int:
        if self._refusal is not None:
            raise self._refusal
        self.entered.append((url, body, run_id))
        return len(self.entered)

    def leave(self, ticket: Any, error: BaseException | None) -> None:
        self.left.append((ticket, type(error).__name__))


async def test_each_attempt_of_a_call_passes_the_gate(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.rate_limited(retry_after=0), Reply(text="hello"))
    gate = Recorder()
    current_gate.set(gate)

    reply = await model.ainvoke("hi", max_retries=1)

    assert reply.text == "hello"
    assert gate.left == [(1, "KimiRateLimitError"), (2, "NoneType")]
    [(url, body, run_id), again] = gate.entered
    assert url.startswith(openrouter.base_url)
    assert b'"hi"' in body
    assert isinstance(run_id, UUID)
    assert again == (url, body, run_id)


async def test_streams_pass_it_too(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="hello there"), Reply(text="hello there"))
    gate = Recorder()
    current_gate.set(gate)

    text = "".join([str(chunk.text) async for chunk in model.astream("hi")])
    stream = model.astream("hi")
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # it is an async generator

    assert text == "hello there"
    assert gate.left == [(1, "NoneType"), (2, "GeneratorExit")]


async def test_a_cancelled_call_leaves_the_gate(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.silence())
    gate = Recorder()
    current_gate.set(gate)
    call = asyncio.create_task(model.ainvoke("hi"))
    while not openrouter.requests:  # noqa: ASYNC110 - the server runs in a thread
        await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert gate.left == [(1, "CancelledError")]


async def test_a_gate_can_refuse_a_call(model: ChatKimi, openrouter: Emulator) -> None:
    current_gate.set(Recorder(KimiUsageError("No.")))

    with pytest.raises(KimiUsageError, match="No"):
        await model.ainvoke("hi")

    assert openrouter.requests == []


async def test_calls_without_a_gate_pass(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="hello"))

    assert (await model.ainvoke("hi")).text == "hello"
