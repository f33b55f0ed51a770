"""Variations of reported errors in structured calls: additional leaked calls, unusual arguments and pieces."""

from tests.kimi.corpus.calls import ONE, PARIS, TIME, WEATHER, named
from tests.kimi.corpus.cases import (
    ARGUMENTS,
    CALL,
    CALL_END,
    SECTION,
    SECTION_END,
    TURN_END,
    Call,
    Case,
    call,
    markup,
)
from tests.kimi.corpus.tags import ONE as TAGGED
from tests.kimi.corpus.tags import closed, opened, section
from tests.kimi.corpus.wire import broken, weather

FIRST = "functions.get_weather:0"
ANSWERED = f"Hm.<|close|>think{opened('response')}I look.{closed('response')}"
"""Thoughts and an answer, with K3's damaged tag between them."""


def repaired_arguments(name: str, arguments: str, becomes: Call = WEATHER) -> Case:
    """Return a case with arguments that are repaired."""
    delta = call(becomes[0], arguments, becomes[2])
    return broken(name, "after MoonshotAI/Kimi-K2#26", delta, calls=(becomes,), repairs={"arguments": 1})


def broken_arguments(name: str, arguments: str) -> Case:
    """Return a case with arguments that cannot be repaired."""
    invalid = (("get_weather", arguments, FIRST),)
    return broken(name, "after MoonshotAI/Kimi-K2#26", weather(arguments), invalid=invalid)


def repaired_name(name: str, spelling: str | None) -> Case:
    """Return a case with a spelling of the name that is repaired."""
    delta = call(spelling, PARIS, FIRST)
    return broken(name, "after tailcallhq/forgecode#1141", delta, calls=(WEATHER,), repairs={"call_names": 1})


VARIED_WIRE: list[Case] = [
    broken(
        "real then leaked unknown",
        "after vllm-project/vllm#31207",
        weather(),
        {"content": SECTION + markup("functions.get_weather:0", PARIS) + SECTION_END},
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "leak split around real",
        "after vllm-project/vllm#31207",
        {"content": SECTION + CALL},
        weather(),
        {"content": FIRST + ARGUMENTS + PARIS + CALL_END},
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "leak in reasoning and content of the same",
        "after vybestack/llxprt-code#749",
        {"reasoning": ONE},
        {"content": ONE},
        finish="stop",
        ends="tool_calls",
        calls=(WEATHER,),
        repairs={"markup": 2},
    ),
    broken(
        "reasoning leaks, prose first",
        "after vybestack/llxprt-code#749",
        {"reasoning": "I should call."},
        {"reasoning": SECTION + ONE + SECTION_END},
        finish="stop",
        ends="tool_calls",
        reasoning="I should call.",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "reasoning leak, details too",
        "after vybestack/llxprt-code#749",
        {"reasoning": ONE, "reasoning_details": [{"type": "reasoning.text", "text": ONE, "index": 0}]},
        finish="tool_calls",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "details only",
        "after vybestack/llxprt-code#749",
        {"reasoning_details": [{"type": "reasoning.text", "text": ONE, "index": 0}]},
        finish="tool_calls",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "reasoning leak, null content",
        "after vybestack/llxprt-code#749",
        {"reasoning": ONE},
        {"content": None},
        finish="stop",
        ends="tool_calls",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "parts content",
        "after vllm-project/vllm#31207",
        {"content": [{"type": "text", "text": ONE}]},
        finish="stop",
        ends="tool_calls",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "reasoning cut in call length",
        "after vybestack/llxprt-code#749",
        {"reasoning": "Hm." + SECTION + markup(FIRST, '{"city', "")},
        finish="length",
        reasoning="Hm.",
        invalid=(("get_weather", '{"city', FIRST),),
        repairs={"markup": 1},
    ),
    broken(
        "stray end in reasoning",
        "after vybestack/llxprt-code#749",
        {"reasoning": "Hm." + SECTION_END},
        {"content": "Yes."},
        finish="stop",
        reasoning="Hm.",
        content="Yes.",
        repairs={"markup": 1},
    ),
    broken(
        "stray end in content beside real call",
        "after vllm-project/vllm#31207",
        {"content": SECTION_END},
        weather(),
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "section begin in content before real",
        "after vllm-project/vllm#31207",
        {"content": "I look." + SECTION},
        weather(),
        content="I look.",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "answer in reasoning",
        "sgl-project/sglang#32567",
        {"reasoning": ANSWERED + closed("message")},
        finish="stop",
        reasoning="Hm.",
        content="I look.",
        repairs={"markup": 2},
    ),
    broken(
        "answer in each field with reasoning",
        "after sgl-project/sglang#32567",
        {
            "reasoning": ANSWERED,
            "reasoning_content": ANSWERED,
            "reasoning_details": [{"type": "reasoning.text", "text": ANSWERED, "index": 0}],
        },
        {"content": " Wait."},
        finish="stop",
        reasoning="Hm.",
        content="I look. Wait.",
        repairs={"markup": 2},
    ),
    broken(
        "answer and call in reasoning",
        "after sgl-project/sglang#32567",
        {"reasoning_content": ANSWERED + section(TAGGED) + closed("message")},
        finish="stop",
        ends="tool_calls",
        reasoning="Hm.",
        content="I look.",
        calls=(WEATHER,),
        repairs={"markup": 2},
    ),
    repaired_arguments("arguments with end marker", PARIS + CALL_END),
    repaired_arguments("arguments with end markers", PARIS + CALL_END + SECTION_END + TURN_END),
    repaired_arguments("arguments fenced", "```json\n" + PARIS + "\n```"),
    repaired_arguments("arguments begun with marker", ARGUMENTS + PARIS),
    repaired_arguments("arguments marker both", ARGUMENTS + PARIS + CALL_END),
    repaired_arguments("null arguments text no-arg", "null", TIME),
    repaired_arguments("quoted null arguments no-arg", '"null"', TIME),
    repaired_arguments("empty string encoded", '""', TIME),
    broken_arguments("null arguments of tool that needs", "null"),
    broken_arguments("quoted null of tool that needs", '"null"'),
    broken_arguments("trailing words", PARIS + " done"),
    repaired_name("name with marker", "get_weather" + ARGUMENTS),
    repaired_name("name functions colon", "functions:get_weather"),
    repaired_name("name with blanks", " get_weather "),
    repaired_name("name null, id tells", None),
    repaired_name("name upper", "GET_WEATHER"),
    broken(
        "name unknown",
        "after tailcallhq/forgecode#1141",
        call("launch", PARIS, "launch:0"),
        calls=(named("launch:0", "launch"),),
    ),
    broken("finish stop with call", "after vllm-project/vllm#43155", weather(), finish="stop", calls=(WEATHER,)),
    broken(
        "finish tool_calls with text only", "after vllm-project/vllm#43155", {"content": "Hello."}, content="Hello."
    ),
    broken(
        "OpenAI's first form",
        "after tailcallhq/forgecode#1141",
        {"content": None, "function_call": {"name": "get_weather", "arguments": PARIS}},
        finish="function_call",
        calls=(WEATHER,),
        repairs={"call_ids": 1},
    ),
    broken(
        "OpenAI's first form, a text beside it",
        "after tailcallhq/forgecode#1141",
        {"content": "I look.", "function_call": {"name": "functions.get_weather:0", "arguments": {"city": "Paris"}}},
        finish="stop",
        content="I look.",
        calls=(WEATHER,),
        repairs={"call_ids": 1, "call_names": 1},
    ),
]
