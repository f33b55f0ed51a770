"""The web chat of the examples over a real socket. `tests/browser` tests its page in Chromium."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.cancellation.ways import settles
from tests.web_chat import NOTE, served

TEXT = "word " * 500
LONG = Reply(text=TEXT)
Event = dict[str, Any]


class Page:
    """The script of the page, without a browser."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def begin(self, text: str) -> str:
        key: str = self.client.post("/turns", json={"conversation": "one", "text": text}).json()["turn"]
        return key

    def events(self, key: str, start: int = 0, most: int | None = None) -> list[Event]:
        """Return the events from a number on; after `most` the connection is closed."""
        events: list[Event] = []
        headers = {"last-event-id": str(start - 1)} if start else {}
        with self.client.stream("GET", f"/turns/{key}", headers=headers) as response:
            for line in response.iter_lines():
                if line.startswith("data: "):
                    events.append(json.loads(line.removeprefix("data: ")))
                    if len(events) == most:
                        break
        return events


@pytest.fixture
def page(openrouter: Emulator) -> Iterator[Page]:
    with served(openrouter) as url, httpx.Client(base_url=url, timeout=30) as client:
        yield Page(client)


def text_of(events: list[Event]) -> str:
    return "".join(event["text"] for event in events if event["kind"] == "text")


def kinds(events: list[Event]) -> list[str]:
    """Return the kinds of events, with each run of the same kind once."""
    return [
        event["kind"] for index, event in enumerate(events) if not index or events[index - 1]["kind"] != event["kind"]
    ]


def test_text_reasoning_and_the_cost_arrive(page: Page, openrouter: Emulator) -> None:
    openrouter.script(Reply(text="Hello there.", reasoning="They greet me."))
    events = page.events(page.begin("Hello"))
    assert kinds(events) == ["reasoning", "text", "cost", "end"]
    assert text_of(events) == "Hello there."
    [cost] = [event for event in events if event["kind"] == "cost"]
    assert cost["dollars"] > 0
    assert cost["provider"] == "Moonshot AI"


def test_tools_run_and_broken_calls_go_back_to_the_model(page: Page, openrouter: Emulator) -> None:
    openrouter.script(
        Reply(tool_calls=(ToolCall("get_weather", {"city": "Oslo"}), ToolCall("get_weather", '{"city": ')))
    )
    openrouter.script(Reply(text="Sunny."))
    events = page.events(page.begin("How is the weather?"))
    results = [event["result"] for event in events if event["kind"] == "tool"]
    assert results[0] == "It is 21 degrees and sunny in Oslo."
    assert results[1].startswith("This call is invalid: ")
    assert text_of(events) == "Sunny."
    assert [message["role"] for message in openrouter.bodies[-1]["messages"]] == ["user", "assistant", "tool", "tool"]


def test_a_failure_is_shown_and_the_chat_continues(page: Page, openrouter: Emulator) -> None:
    openrouter.fail_next(faults.connection_cut())
    failed = page.events(page.begin("Tell me of the sea."))
    assert kinds(failed)[-2:] == ["error", "end"]
    error = failed[-2]
    assert error["name"] == "KimiIncompleteStreamError"
    assert error["partial"] == text_of(failed)
    assert kinds(page.events(page.begin("And now?"))) == ["text", "cost", "end"]
    sent = openrouter.bodies[-1]["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == text_of(failed)


def test_a_stopped_answer_ends_at_the_host(page: Page, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.005)
    openrouter.script(LONG)
    key = page.begin("Tell me of the sea.")
    first = page.events(key, most=3)
    page.client.post(f"/turns/{key}/stop")
    assert settles(lambda: openrouter.requests[-1].hung_up_at is not None)
    rest = page.events(key, start=3)
    assert kinds(rest)[-2:] == ["stopped", "end"]
    assert text_of(first + rest) in TEXT


def test_a_lost_connection_is_continued(page: Page, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.002)
    openrouter.script(Reply(text="word " * 50))
    key = page.begin("Tell me of the sea.")
    first = page.events(key, most=5)
    assert text_of(first + page.events(key, start=5)) == "word " * 50


def test_a_page_that_is_gone_stops_its_answer(openrouter: Emulator) -> None:
    openrouter.behave(pause=0.005)
    openrouter.script(LONG)
    with served(openrouter, grace=0.01) as url, httpx.Client(base_url=url) as client:
        page = Page(client)
        page.events(page.begin("Tell me of the sea."), most=1)
        assert settles(lambda: openrouter.requests[-1].hung_up_at is not None)


def test_the_page_says_that_the_answers_are_scripted(page: Page) -> None:
    assert page.client.get("/note").json() == {"model": "moonshotai/kimi-k2-0905", "note": NOTE}
    assert "<title>Kimi in the browser</title>" in page.client.get("/").text


def test_an_unknown_turn_and_an_empty_question_are_refused(page: Page) -> None:
    assert page.client.get("/turns/none").status_code == 404
    assert page.client.post("/turns", json={"conversation": "one", "text": ""}).status_code == 422
