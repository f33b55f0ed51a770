"""The page of the web chat in Chromium (`make test-browser`)."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from langchain_kimi.testing import Emulator, Reply, ToolCall, faults
from tests.cancellation.ways import settles
from tests.web_chat import NOTE, served

playwright: Any = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 360, "height": 740}}
CONTRAST = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data; };
  const light = (color) => { const [r, g, b] = [...rgb(color)].map((x) => x / 255)
      .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (element) => { while (element && rgb(getComputedStyle(element).backgroundColor)[3] === 0)
      element = element.parentElement;
    return getComputedStyle(element ?? document.body).backgroundColor; };
  return [...document.querySelectorAll("h1, p, .own, .text, summary, button:enabled, textarea")]
    .filter((element) => element.textContent || element.value).map((element) => {
      const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); });
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def chat(browser: Any, openrouter: Emulator) -> Iterator[Any]:
    with served(openrouter) as url:
        page = browser.new_page()
        page.goto(url)
        yield page
        page.close()


def say(page: Any, text: str) -> None:
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def test_an_answer_with_reasoning_a_tool_and_its_cost(chat: Any, openrouter: Emulator) -> None:
    openrouter.script(Reply(reasoning="I need the weather.", tool_calls=(ToolCall("get_weather", {"city": "Oslo"}),)))
    openrouter.script(Reply(text="It is <b>sunny</b> in Oslo."))
    say(chat, "How is the weather?")
    answer = chat.locator("article")
    playwright.expect(answer.locator(".text")).to_have_text("It is <b>sunny</b> in Oslo.")
    playwright.expect(answer.locator(".reasoning summary")).to_have_text("Reasoning")
    playwright.expect(answer.locator(".tool summary")).to_have_text('Called get_weather({"city":"Oslo"})')
    playwright.expect(answer.locator(".cost")).to_have_count(2)
    playwright.expect(answer.locator(".cost").last).to_contain_text("$0.0000")
    playwright.expect(chat.locator("#note")).to_contain_text(NOTE)


def test_the_stop_button_ends_the_answer_at_the_host(chat: Any, openrouter: Emulator) -> None:
    openrouter.behave(pause=0.01)
    openrouter.script(Reply(text="word " * 2000))
    say(chat, "Tell me of the sea.")
    playwright.expect(chat.locator(".text")).to_contain_text("word")
    chat.get_by_role("button", name="Stop").click()
    assert settles(lambda: openrouter.requests[-1].hung_up_at is not None)
    playwright.expect(chat.locator(".cost")).to_have_text("Stopped. The host generates no more.")
    playwright.expect(chat.get_by_role("button", name="Send")).to_be_enabled()


def test_a_failure_is_shown_after_the_partial_answer(chat: Any, openrouter: Emulator) -> None:
    openrouter.fail_next(faults.connection_cut())
    say(chat, "Tell me of the sea.")
    playwright.expect(chat.get_by_role("alert")).to_contain_text("KimiIncompleteStreamError: The connection broke")
    playwright.expect(chat.locator(".text")).not_to_be_empty()
    say(chat, "And now?")
    playwright.expect(chat.locator("article").last.locator(".cost")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_and_is_readable(browser: Any, openrouter: Emulator, size: str, scheme: str) -> None:
    openrouter.script(Reply(text="A long word: " + "x" * 300, reasoning="I think."))
    with served(openrouter) as url:
        page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)
        page.goto(url)
        say(page, "Say something long. " * 20)
        playwright.expect(page.locator(".cost")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert min(page.evaluate(CONTRAST)) >= 4.5
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/chat-{size}-{scheme}.png")
        page.close()
