"""Variations of reported leaks: arguments, ends, and texts before the markup."""

from tests.kimi.corpus.calls import ONE, PARIS, TIME, WEATHER, named
from tests.kimi.corpus.cases import (
    ARGUMENTS,
    CALL,
    CALL_END,
    SECTION,
    SECTION_END,
    TURN_END,
    Case,
    lifted,
    markup,
)

FIRST = "functions.get_weather:0"


def after_text(name: str, text: str) -> Case:
    """Return a case with a call after a text that stays unchanged."""
    return lifted(name, "after cline/cline#12980", text + ONE, WEATHER, content=text)


ARGUMENT_FORMS = [
    lifted(
        "fenced arguments",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, "```json\n" + PARIS + "\n```"),
        WEATHER,
        repairs={"markup": 1, "arguments": 1},
    ),
    lifted(
        "fenced arguments no lang",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, "```\n" + PARIS + "\n```"),
        WEATHER,
        repairs={"markup": 1, "arguments": 1},
    ),
    lifted(
        "arguments with pretty print", "after MoonshotAI/Kimi-K2#26", markup(FIRST, '{\n  "city": "Paris"\n}'), WEATHER
    ),
    lifted(
        "trailing text",
        "after MoonshotAI/Kimi-K2#26",
        SECTION + CALL + FIRST + ARGUMENTS + PARIS + " I hope" + CALL_END + SECTION_END,
        WEATHER,
        content=" I hope",
        repairs={"markup": 2},
    ),
    lifted(
        "trailing text no end",
        "after MoonshotAI/Kimi-K2#26",
        SECTION + CALL + FIRST + ARGUMENTS + PARIS + "\nI hope",
        WEATHER,
        content="\nI hope",
    ),
    lifted(
        "full call quoted inside string",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, '{"city": "' + ONE.replace('"', '\\"') + '"}'),
        named(FIRST, city=ONE),
    ),
    lifted(
        "section inside string",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, '{"city": "' + SECTION + '"}'),
        named(FIRST, city=SECTION),
    ),
    lifted(
        "turn end inside string",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, '{"city": "' + TURN_END + ' and <|im_user|>"}'),
        named(FIRST, city=TURN_END + " and <|im_user|>"),
    ),
    lifted(
        "escaped quote and marker",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, '{"city": "a\\"' + CALL_END + '\\"b"}'),
        named(FIRST, city='a"' + CALL_END + '"b'),
    ),
    lifted(
        "unicode escapes",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, '{"city": "\\u5df4\\u9ece"}'),
        named(FIRST, city="巴黎"),
    ),
    lifted("empty object for required", "after MoonshotAI/Kimi-K2#26", markup(FIRST, "{}"), ("get_weather", {}, FIRST)),
    lifted("arguments blanks only", "after MoonshotAI/Kimi-K2#26", markup("functions.get_time:0", "  \n "), TIME),
    lifted(
        "null, no-arg tool",
        "after MoonshotAI/Kimi-K2#26",
        markup("functions.get_time:0", "null"),
        TIME,
        repairs={"markup": 1, "arguments": 1},
    ),
    lifted(
        "arguments a list",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, '["Paris"]'),
        invalid=(("get_weather", '["Paris"]', FIRST),),
    ),
    lifted(
        "arguments a number", "after MoonshotAI/Kimi-K2#26", markup(FIRST, "5"), invalid=(("get_weather", "5", FIRST),)
    ),
    lifted(
        "arguments as Python writes them",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, "{'city': 'Paris'}"),
        invalid=(("get_weather", "{'city': 'Paris'}", FIRST),),
    ),
    lifted(
        "twice encoded with blanks",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, ' "{\\"city\\": \\"Paris\\"}" '),
        WEATHER,
    ),
    lifted(
        "thrice encoded",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, '"\\"{\\\\\\"city\\\\\\": \\\\\\"Paris\\\\\\"}\\""'),
        WEATHER,
        repairs={"markup": 1, "arguments": 1},
    ),
    lifted(
        "object twice",
        "after MoonshotAI/Kimi-K2#26",
        markup(FIRST, PARIS + PARIS),
        WEATHER,
        repairs={"markup": 1, "arguments": 1},
    ),
    lifted("an object with a blank", "after MoonshotAI/Kimi-K2#26", markup("functions.get_time:0", "{ }"), TIME),
    lifted(
        "deep",
        "after MoonshotAI/Kimi-K2#26",
        markup("functions.save_todos:0", '{"labels": {"a": {"b": [1, {"c": "<|"}]}}}'),
        ("save_todos", {"labels": {"a": {"b": [1, {"c": "<|"}]}}}, "functions.save_todos:0"),
    ),
    lifted(
        "cut in section begin",
        "after sgl-project/sglang#23341",
        f"Hi.{SECTION[:12]}",
        content="Hi." + SECTION[:12],
        finish="length",
        repairs={},
    ),
    lifted(
        "cut in arguments marker",
        "after sgl-project/sglang#23341",
        SECTION + CALL + FIRST + ARGUMENTS[:10],
        finish="length",
        invalid=(("get_weather", "", FIRST),),
    ),
    lifted(
        "cut in foreign call",
        "after vllm-project/vllm#32146",
        SECTION + CALL + "call_1b" + ARGUMENTS + '{"na',
        finish="length",
        invalid=(("", '{"na', "call_1b"),),
    ),
    lifted(
        "cut in first of two markers",
        "after sgl-project/sglang#23341",
        SECTION + ONE + CALL[:9],
        WEATHER,
        finish="length",
        ends="length",
    ),
    lifted(
        "tool_calls finish, unfinished json",
        "after vllm-project/vllm#43155",
        SECTION + markup(FIRST, '{"city": "P', ""),
        finish="tool_calls",
        invalid=(("get_weather", '{"city": "P', FIRST),),
        ends="tool_calls",
    ),
    lifted(
        "length, complete call then text",
        "after sgl-project/sglang#23341",
        ONE + " and so",
        WEATHER,
        content=" and so",
        finish="length",
        ends="length",
    ),
]

BEFORE = [
    after_text("inch mark", 'The 5" screen: '),
    after_text("quotes and inches", 'Say "hi", 7" or so. '),
    after_text("quoted numbers", 'He paid "5" and "6". '),
    after_text("list item", "- "),
    after_text("heading", "# Weather\n"),
    after_text("apostrophes before", "Let's check 'Paris', it's ok. "),
    after_text("code tag in another line", "Use the <code> tag.\n"),
    after_text("open quotation, earlier paragraph", "“So\n\n"),
    after_text("odd quote, earlier line", 'He said "check\n'),
    after_text("backslash quote earlier line", 'x = "\\"\n'),
    after_text("closed pre", "<pre>\nx\n</pre>\n"),
    lifted(
        "two blank lines",
        "after cline/cline#12980",
        "Fine.\n\n\n" + SECTION + ONE + SECTION_END + "\n\n",
        WEATHER,
        content="Fine.\n\n\n\n\n",
    ),
    after_text("starts with blanks", "    "),
    after_text("blockquote ended", "> x\n\n"),
    after_text("closed html code", '<code class="a">x</code> '),
    after_text("tilde fence closed", "~~~\nx\n~~~\n"),
    lifted("emoji", "after cline/cline#12980", "🌦️" + ONE + "🌦️", WEATHER, content="🌦️🌦️"),
    after_text("pipe before", "a |"),
    after_text("angle before", "a <"),
    after_text("angles before", "<<<|"),
    after_text("broken marker before", "<|tool_call"),
    lifted(
        "think close before",
        "after cline/cline#12980",
        "</think>" + ONE,
        WEATHER,
        repairs={"markup": 1, "think_tags": 1},
    ),
    after_text("JSON before", '{"a": "b"}\n'),
    after_text("f words before", "if of f functions. fun"),
    after_text("thousand blanks", "x" + " " * 500),
]

VARIED_TEXTS: list[Case] = [*ARGUMENT_FORMS, *BEFORE]
