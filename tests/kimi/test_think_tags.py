from typing import Any

import pytest

from langchain_kimi._kimi.think_tags import ThinkTags, closes_thoughts

SILENT = {"model": "moonshotai/kimi-k2-0905"}
THINKING = {"model": "moonshotai/kimi-k2-thinking"}
LONG = "Let me see. " * 40

LEAKS = [
    ("<think>Hm.</think>Hello", "Hm.", "Hello"),
    ("<think>\nHm.\n</think>\n\nHello", "Hm.", "Hello"),
    ("\n<think>Hm.</think>", "Hm.", ""),
    ("<think></think>\n\nHello", "", "Hello"),
    ("</think>\n\nHello", "", "Hello"),
    ("\n</think>Hello", "", "Hello"),
    (f"<think>{LONG}</think>Hello", LONG.strip(), "Hello"),
    (f"<think>{LONG}\n\n</think>\n\n", LONG.strip(), ""),
    ("<think>Is 1 < 2? (yes)</think>Yes", "Is 1 < 2? (yes)", "Yes"),
]
STRAY = [
    ("Hm.</think>Hello", "Hm.", "Hello"),
    ("Hm.\n</think>\n\nHello", "Hm.", "Hello"),
    ('It says "hi"</think>Hello', 'It says "hi"', "Hello"),
    ("Hm. </think>Hello", "Hm.", "Hello"),
    ("Hm.</think>", "Hm.", ""),
]
TEXTS = [
    "Hello",
    "",
    " \n",
    "<",
    "<thinking>a</thinking>",
    "<think> is a tag.",
    "<think>...</think> tags are removed.",
    "<think>...</think>, they say.",
    "</think> closes it.",
    "The `</think>` closes it.",
    'Write "</think>" then.',
    "The tag </think> closes it.",
    "It ends with </think>",
    "```\nHm.</think>\n```",
    "First <think> and then</think>.",
    "<think>never closed",
]


def read(pieces: list[str], body: Any, **more: Any) -> tuple[str, str, int]:
    """Return the reasoning and the text of a stream, and the count of repairs."""
    tags = ThinkTags(body)
    deltas: list[Any] = [{"content": piece} for piece in pieces]
    read_deltas: list[Any] = [delta if tags.state == "done" else tags.feed(delta) for delta in deltas]
    if tags.state != "done":
        read_deltas.append(tags.close(is_cut=False, **more))
    sums = ["".join(delta.get(key) or "" for delta in read_deltas) for key in ("reasoning", "content")]
    return sums[0], sums[1], tags.count


def splits(text: str) -> list[list[str]]:
    return [[text], list(text), *([text[:at], text[at:]] for at in range(len(text)))]


@pytest.mark.parametrize("body", [SILENT, THINKING], ids=["silent", "thinking"])
@pytest.mark.parametrize(("text", "thought", "answer"), LEAKS)
def test_thoughts_at_the_start_become_reasoning_at_every_split(
    text: str, thought: str, answer: str, body: dict[str, str]
) -> None:
    for pieces in splits(text):
        assert read(pieces, body) == (thought, answer, 1), pieces


@pytest.mark.parametrize(("text", "thought", "answer"), STRAY)
def test_thoughts_before_a_stray_tag_become_reasoning(text: str, thought: str, answer: str) -> None:
    for pieces in splits(text):
        assert read(pieces, THINKING) == (thought, answer, 1), pieces
        assert read(pieces, SILENT) == ("", text, 0), pieces
    whole: Any = ThinkTags(SILENT).feed({"content": text}, is_whole=True)
    assert (whole["reasoning"], whole["content"]) == (thought, answer)


@pytest.mark.parametrize("body", [SILENT, THINKING], ids=["silent", "thinking"])
@pytest.mark.parametrize("text", TEXTS)
def test_other_texts_are_not_changed(text: str, body: dict[str, str]) -> None:
    for pieces in splits(text):
        assert read(pieces, body) == ("", text, 0), pieces
    message: Any = {"content": text}
    assert ThinkTags(body).feed(message, is_whole=True) is message


def test_truncated_thoughts_are_reasoning() -> None:
    tags = ThinkTags(SILENT)
    assert tags.feed({"content": "<think>Hm"}) == {"content": ""}
    assert tags.close(is_cut=True) == {"content": "", "reasoning": "Hm"}


def test_long_thoughts_are_streamed() -> None:
    tags = ThinkTags(SILENT)
    first: Any = tags.feed({"content": f"<think>{LONG}"})
    assert first["reasoning"] == LONG.strip()
    assert tags.feed({"content": "More.</thi"}) == {"content": "", "reasoning": " More."}
    assert tags.close(is_cut=True) == {"content": "", "reasoning": "</thi"}


@pytest.mark.parametrize(
    "body",
    [
        {**THINKING, "reasoning": {"exclude": True}},
        {**THINKING, "include_reasoning": False},
        {"model": "moonshotai/kimi-k2.6", "reasoning": {"enabled": False}},
        {},
    ],
)
def test_a_stream_is_not_held_back_without_a_reason(body: dict[str, Any]) -> None:
    assert ThinkTags(body).feed({"content": "Hello"}) == {"content": "Hello"}


def test_a_stream_with_reasoning_is_not_held_back() -> None:
    tags = ThinkTags(THINKING)
    tags.feed({"reasoning": "Hm."})
    assert tags.feed({"content": "Hello"}) == {"content": "Hello"}
    assert tags.state == "done"


def test_tool_calls_release_the_text() -> None:
    tags = ThinkTags(THINKING)
    assert tags.feed({"content": "I look."}) == {"content": ""}
    call: Any = {"tool_calls": [{"id": "a"}]}
    assert tags.feed(call) == {**call, "content": "I look."}


def test_content_in_parts_is_not_changed() -> None:
    parts: Any = {"content": [{"type": "text", "text": "<think>a</think>"}]}
    tags = ThinkTags(THINKING)
    assert tags.feed(parts) is parts
    assert tags.state == "done"


def test_a_very_long_text_is_released() -> None:
    tags = ThinkTags(THINKING)
    shown = [tags.feed({"content": "a" * 10_000}).get("content") for _ in range(10)]
    assert shown == [""] * 9 + ["a" * 100_000]


def test_reasoning_of_the_same_delta_comes_first() -> None:
    message: Any = {"reasoning": "One. ", "content": "<think>Two.</think>Hello"}
    assert ThinkTags(SILENT).feed(message, is_whole=True) == {"reasoning": "One. Two.", "content": "Hello"}


@pytest.mark.parametrize("text", [text for text, _, _ in (*LEAKS, *STRAY)])
def test_every_text_that_is_changed_closes_thoughts(text: str) -> None:
    assert closes_thoughts(text)
