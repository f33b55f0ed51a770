from typing import Any

import pytest

from langchain_kimi._kimi.think_mentions import closes_thoughts
from langchain_kimi._kimi.think_tags import ThinkTags
from tests.growth import assert_linear

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
    # Nested and repeated tags.
    ("<think><think>Hm.</think>Hello", "Hm.", "Hello"),
    ("<think>\n<think>\nHm.</think>\n</think>\nHello", "Hm.", "Hello"),
    ("<think>a <think>b</think> c</think>Hello", "a <think>b</think> c", "Hello"),
    ("<think>a <think>b <think>c</think> d</think> e</think>Hello", "a <think>b <think>c</think> d</think> e", "Hello"),
    ("<think>a <think>b</think>Hello", "a <think>b", "Hello"),
    ("<think>The <think> tag.</think>Hello", "The <think> tag.", "Hello"),
    ("<think>The `<think>` and `</think>` tags.</think>Hello", "The `<think>` and `</think>` tags.", "Hello"),
    (f"<think>{LONG}<think>b</think> c</think>Hello", f"{LONG}<think>b</think> c", "Hello"),
    (f"<think>{LONG}<think>b</think>Hello", f"{LONG}<think>b", "Hello"),
    (
        f"<think>{LONG}<think>b</think> c <think>d</think> e</think>Hello",
        f"{LONG}<think>b</think> c <think>d</think> e",
        "Hello",
    ),
    (f"<think>{LONG}The `</think>` tag.</think>Hello", f"{LONG}The `</think>` tag.", "Hello"),
]
SECOND = [
    ("<think>a</think><think>b</think>Hello", "a\nb", "Hello", 2),
    ("<think>a</think>\n\n<think>\nb\n</think>\n\nHello", "a\nb", "Hello", 2),
    ("<think>a</think><think>b</think><think>c</think>Hello", "a\nb\nc", "Hello", 3),
    ("<think></think><think>b</think>Hello", "b", "Hello", 2),
    ("<think>a</think><think></think>Hello", "a", "Hello", 2),
    ("<think>a</think>Hello<think>b</think>Bye", "a\nb", "HelloBye", 2),
    ("<think>a</think>Hello\n<think>\nb\n</think>\nBye", "a\nb", "Hello\n\nBye", 2),
    ("<think>a</think>Hello<think>b</think>", "a\nb", "Hello", 2),
    ("<think>a</think>Hello <think>b</think> c", "a", "Hello <think>b</think> c", 1),
    ("<think>a</think><think> is a tag.", "a", "<think> is a tag.", 1),
    ("<think>a</think>The `<think>b</think>` tags.", "a", "The `<think>b</think>` tags.", 1),
    ("<think>a</think>```\n<think>b</think>\n```", "a", "```\n<think>b</think>\n```", 1),
    ("<think>a</think>Hello <think>, or <think>b", "a", "Hello <think>, or <think>b", 1),
    ("<think>a</think>1 < 2, and <thin", "a", "1 < 2, and <thin", 1),
]
STRAY = [
    ("Hm.</think>Hello", "Hm.", "Hello"),
    ("Hm.\n</think>\n\nHello", "Hm.", "Hello"),
    ('It says "hi"</think>Hello', 'It says "hi"', "Hello"),
    ("Hm. </think>Hello", "Hm.", "Hello"),
    ("Hm. </think>\n\nHello", "Hm.", "Hello"),
    ("Hm </think>Hello", "Hm", "Hello"),
    ("Hm.</think></think>Hello", "Hm.", "Hello"),
]
CLOSED, ANSWER, TOOLS = "<|close|>think<|sep|>", "<|open|>response<|sep|>", "<|open|>tools<|sep|>"
CHANNELS = [
    (f"Hm.{CLOSED}{ANSWER}Hello", "Hm.", "Hello"),
    (f"Hm.\n{CLOSED}\n{ANSWER}\nHello", "Hm.", "Hello"),
    ("Hm<|close|> think <|sep|> <|open|> response <|sep|>Hello", "Hm", "Hello"),
    (f"Hm.{CLOSED}{TOOLS}Hello", "Hm.", f"{TOOLS}Hello"),
    (f"Hm.{CLOSED}{ANSWER}Hello</think>Bye", "Hm.", "Hello</think>Bye"),
]
TEXTS = [
    f"\n{CLOSED}{ANSWER}Hello",
    *(f"{before}{CLOSED}{ANSWER}{after}" for before, after in (("`", "`"), ("It has ", " then"), ("Use ", "Hello"))),
    *(f"{before}{CLOSED}{ANSWER}Hello" for before in ("So:\n", "<|open|>think<|sep|>Hm.", "```\n", "<|sep|> ends it.")),
    f"Hm.{CLOSED}Hello",
    f"Hm. {ANSWER}Hello",
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
    "Split at </think>\n\nThen strip.",
    "Closing tags:\n- </think>\n- </b>",
    "1. </think>\n2. </b>",
    "```\nHm.</think>\n```",
    "First <think> and then</think>.",
    "<think>never closed",
    "    <think>a</think>\n\nThis is code.",
    "\n\t<think>a</think>\n\nThis is code.",
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


@pytest.mark.parametrize("body", [SILENT, THINKING], ids=["silent", "thinking"])
@pytest.mark.parametrize(("text", "thought", "answer", "count"), SECOND)
def test_further_thoughts_become_reasoning_at_every_split(
    text: str, thought: str, answer: str, count: int, body: dict[str, str]
) -> None:
    for pieces in splits(text):
        assert read(pieces, body) == (thought, answer, count), pieces


def test_only_some_tags_of_an_answer_are_read() -> None:
    thought, answer, count = read(["<think>a</think>Hello" + "<think>b</think>" * 200], THINKING)
    assert (thought, answer, count) == ("a" + "\nb" * 100, "Hello" + "<think>b</think>" * 100, 101)


@pytest.mark.parametrize("size", [1000, 1_000_000])
def test_a_further_block_without_an_end_is_text(size: int) -> None:
    text = "<think>" + "b" * 300_000
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert read(["<think>a</think>Hello", *pieces, "c"], THINKING) == ("a", f"Hello{text}c", 1)


@pytest.mark.parametrize("size", [1000, 1_000_000])
def test_nested_thoughts_without_an_end_end_with_their_last_tag(size: int) -> None:
    text = f"{LONG}<think>b</think>" + "c" * 300_000
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert read(["<think>", *pieces], THINKING) == (f"{LONG}<think>b", "c" * 300_000, 1)


def test_many_opening_tags_are_thoughts() -> None:
    assert read(["<think>"] * 1000 + ["Hm.</think>Hello"], THINKING)[1:] == ("Hello", 1)


UNITS = ["<think>", "</think>", "<think>x</think>", "<think>a <think>b</think> ", "<think> is", "<think>\n", "<"]


@pytest.mark.uncovered
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("begin", ["", f"<think>{LONG}", "<think>a</think>Hello."])
def test_tags_are_read_in_linear_time(begin: str, unit: str) -> None:
    def run(size: int) -> None:
        text = begin + unit * size
        read([text[start : start + 16] for start in range(0, len(text), 16)], THINKING)

    assert_linear(run, 100)


def test_a_closing_tag_at_the_end_is_removed_if_the_model_does_not_reason() -> None:
    whole: Any = ThinkTags(SILENT).feed({"content": "Hm.</think>"}, is_whole=True)
    assert whole == {"content": "Hm."}


@pytest.mark.parametrize(("text", "thought", "answer"), CHANNELS)
def test_thoughts_before_another_channel_become_reasoning_if_the_model_reasons(
    text: str, thought: str, answer: str
) -> None:
    for pieces in splits(text):
        assert read(pieces, THINKING) == (thought, answer, 1), pieces
        assert read(pieces, SILENT) == ("", text, 0), pieces
    whole: Any = ThinkTags(THINKING).feed({"content": text}, is_whole=True)
    assert (whole["reasoning"], whole["content"]) == (thought, answer)
    assert closes_thoughts(text)


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


def test_a_further_block_that_is_cut_off_is_reasoning() -> None:
    tags = ThinkTags(SILENT)
    assert tags.feed({"content": "<think>a</think>Hello<think>b"}) == {"content": "Hello", "reasoning": "a"}
    assert tags.close(is_cut=True) == {"content": "", "reasoning": "\nb"}


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
def test_a_stream_is_not_buffered_without_a_reason(body: dict[str, Any]) -> None:
    assert ThinkTags(body).feed({"content": "Hello"}) == {"content": "Hello"}


def test_a_stream_with_reasoning_is_not_buffered() -> None:
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
