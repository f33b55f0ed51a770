"""Tests of K3's markup. Most results are in the corpus."""

import pytest

from langchain_kimi._kimi.markup.calls import INCOMPLETE
from langchain_kimi._kimi.markup.tags import KEYLESS, NOT_JSON, TWO_VALUES, TagRun, unescaped
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.cases import TOOLS
from tests.kimi.corpus.tags import CALL, ONE, argument, closed, opened, section, tagged

VALUE = opened("argument", key="city", type="string")


def run(*pieces: str, clean: bool | None = None) -> TagRun:
    read = TagRun(OfferedTools({"tools": TOOLS}))
    for piece in pieces:
        read.feed(piece)
    if clean is not None:
        read.close(clean=clean)
    return read


@pytest.mark.parametrize("text", ["a&amp;b &quot;c&quot; &lt;d&gt;", "&amp;quot;"])
def test_attributes_are_unescaped(text: str) -> None:
    assert unescaped(text) == {"&amp;quot;": "&quot;"}.get(text, 'a&b "c" <d>')


END = closed("message")
NEXT = opened("message", role="user")


@pytest.mark.parametrize(
    ("text", "has_next_turn", "rest"),
    [
        (f"{END}{NEXT}And?{section(ONE)}", True, ""),
        (f"<|end_of_msg|>\n{NEXT}And?", True, ""),
        (f"{END}[EOS]{NEXT}", True, ""),
        (f"{END}[EOS] x", False, " x"),
        (f"{END}[E", False, ""),
        (f"{END}[1]", False, "[1]"),
        (f"{NEXT}And?", False, "And?"),
        (f"{END}{closed('response')}{NEXT}x", False, "x"),
    ],
)
def test_another_message_after_the_end(
    text: str,
    has_next_turn: bool,  # noqa: FBT001 - a column of the table
    rest: str,
) -> None:
    for read in (run(text, clean=True), run(*text, clean=True)):
        assert (read.has_next_turn, read.text[read.end :], read.calls) == (has_next_turn, rest, [])


def test_another_message_in_a_text_about_messages() -> None:
    read = TagRun(OfferedTools({"tools": TOOLS}), reads_turns=False)
    read.feed(f"{END}{NEXT}And?")
    assert read.text[read.end :] == "And?"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (opened("argument", type="string") + "x" + closed("argument"), KEYLESS),
        (argument("city", "a") + argument("city", "b"), TWO_VALUES.format("city")),
        (argument("city", "a") + argument("city", "a"), None),
        (argument("city", "a").replace("key=", "name="), None),
    ],
)
def test_the_names_of_arguments(arguments: str, error: str | None) -> None:
    assert [call.error for call in run(tagged("get_weather", arguments), clean=True).calls] == [error]


@pytest.mark.parametrize(
    ("text", "raw", "rest"),
    [
        (section(ONE) + " x", section(ONE), " x"),
        (f"{CALL}x", CALL, "x"),
        ("<|open|> opens", "", "<|open|> opens"),
        ("<|open|>call it is", "", "<|open|>call it is"),
        ("<|open|>tools <b", "", "<|open|>tools <b"),
        ("<|close|>call a", "", "<|close|>call a"),
        ("<|open|>" + " " * 1100, "", "<|open|>" + " " * 1100),
        ("<|sep|>", "", "<|sep|>"),
        (closed("call") + "<|tool_call_end|>", closed("call"), "<|tool_call_end|>"),
        (opened("tools") + "a `b`", opened("tools"), "a `b`"),
        (f"{VALUE}Paris", VALUE, "Paris"),
        (opened("tools") + "a <b", "", ""),
        (opened("tools") + "a " + opened("message"), opened("tools"), "a " + opened("message")),
        (opened("tools") + "a " * 100, opened("tools"), "a " * 100),
    ],
)
def test_the_end_of_a_run(text: str, raw: str, rest: str) -> None:
    for read in (run(text), run(*text)):
        assert read.is_done is bool(rest)
        if rest:
            assert (read.raw, rest.startswith(read.text[read.end :][: len(rest)])) == (raw, True)


@pytest.mark.parametrize(
    ("text", "clean", "errors"),
    [
        (ONE, False, [None]),
        (CALL + argument("city", "Paris"), True, [None]),
        (CALL + argument("city", "Paris"), False, [INCOMPLETE]),
        (CALL + VALUE + "Par", True, [INCOMPLETE]),
        (CALL + argument("city", "Paris") + "<|close|>ca", True, [None]),
        (CALL + argument("city", "Paris") + "<|open|>arg", True, [INCOMPLETE]),
        (CALL, False, [INCOMPLETE]),
        (CALL, True, []),
        ('<|open|>call tool="get_weather" in', False, [INCOMPLETE]),
        ('<|open|>call tool="launch" in', False, []),
        (tagged("list_files", argument("depth", "two", "number")), True, [NOT_JSON.format("depth", "number")]),
        (section(), True, []),
    ],
)
def test_errors_at_the_end_of_the_text(text: str, clean: bool, errors: list[str | None]) -> None:  # noqa: FBT001 - a column of the table
    assert [call.error for call in run(text, clean=clean).calls] == errors


def test_the_channel_follows_the_tags() -> None:
    assert run(opened("think")).channel == "think"
    assert run(opened("think") + closed("think")).channel == "response"
    assert run(closed("response")).channel is None


def test_schemas_without_properties_have_no_strings() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"properties": ["odd"]}}}]
    read = TagRun(OfferedTools({"tools": tools}))
    read.feed(opened("call", tool="f") + opened("argument", key="a") + "1" + closed("argument") + closed("call"))
    assert [call.arguments for call in read.calls] == ['{"a": 1}']


def test_a_word_without_a_type_is_a_string() -> None:
    read = run(CALL + opened("argument", key="unit") + "metric" + closed("argument") + closed("call"))
    assert [(call.arguments, call.error) for call in read.calls] == [('{"unit": "metric"}', None)]
