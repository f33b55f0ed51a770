"""A chat in the browser: text, reasoning, tool calls and costs as they arrive, a stop button, and reconnection.

    pip install "langchain-kimi-openrouter" fastapi uvicorn
    python -m examples.web_chat.app

With OPENROUTER_API_KEY in the environment this calls OpenRouter. Without the key it calls the package's emulator of
OpenRouter on this machine, which answers by rules.
"""

import json
import os
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import FileResponse, StreamingResponse
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool
from pydantic import BaseModel, Field

from examples.web_chat.turns import GRACE, Turn, answer
from langchain_kimi import ChatKimi

MOST_KEPT = 1000
"""Conversations and turns in memory. The oldest are forgotten."""


@tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return f"It is 21 degrees and sunny in {city}."


class Question(BaseModel):
    """A message of the user."""

    conversation: str = Field(max_length=64)
    text: str = Field(min_length=1, max_length=100_000)


class Kept(OrderedDict[str, Any]):
    """A dict of limited size."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        if len(self) > MOST_KEPT:
            self.popitem(last=False)


def create_app(model: ChatKimi, *, note: str = "", grace: float = GRACE) -> FastAPI:
    """Return the application.

    Args:
        model: The model that answers.
        note: A text at the top of the page.
        grace: Seconds for which an answer goes on after its page is gone.
    """
    app = FastAPI(title="Kimi in the browser")
    with_tools, tools = model.bind_tools([get_weather]), {get_weather.name: get_weather}
    histories: dict[str, list[BaseMessage]] = Kept()
    turns: dict[str, Turn] = Kept()

    def turn_of(key: str) -> Turn:
        if key not in turns:
            raise HTTPException(404, "There is no such turn.")
        return turns[key]

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(Path(__file__).with_name("index.html"))

    @app.get("/note")
    def about() -> dict[str, str]:
        return {"model": model.model_name, "note": note}

    @app.post("/turns")
    async def begin(question: Question) -> dict[str, str]:
        history = histories.setdefault(question.conversation, [])
        history.append(HumanMessage(question.text))
        key = uuid.uuid4().hex
        turns[key] = turn = Turn(grace)
        turn.start(lambda turn: answer(with_tools, tools, history, turn))
        return {"turn": key}

    @app.get("/turns/{key}")
    async def read(key: str, last_event_id: Annotated[int, Header()] = -1) -> StreamingResponse:
        return StreamingResponse(_lines(turn_of(key), last_event_id + 1), media_type="text/event-stream")

    @app.post("/turns/{key}/stop")
    async def stop(key: str) -> None:
        turn_of(key).stop()

    return app


async def _lines(turn: Turn, start: int) -> AsyncIterator[str]:
    async for number, event in turn.read(start):
        yield f"id: {number}\ndata: {json.dumps(event)}\n\n"


def main() -> None:
    """Serve the chat on this machine, at http://127.0.0.1:8000."""
    with ExitStack() as stack:
        if os.environ.get("OPENROUTER_API_KEY"):
            app = create_app(stack.enter_context(ChatKimi()))
        else:
            from langchain_kimi.testing import Emulator  # noqa: PLC0415 - needed only without a key

            openrouter = stack.enter_context(Emulator())
            openrouter.behave(pause=0.02)
            model = stack.enter_context(ChatKimi(api_key="no-key-needed", base_url=openrouter.base_url))
            app = create_app(model, note="These answers are made up by an emulator: OPENROUTER_API_KEY is not set.")
        uvicorn.run(app, host="127.0.0.1", port=8000)


if __name__ == "__main__":
    main()
