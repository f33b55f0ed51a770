"""Structured calls with errors in their names, ids or arguments."""

from typing import Any

from tests.kimi.corpus.calls import ONE, PARIS, ROME, TIME, TWO, WEATHER, named
from tests.kimi.corpus.cases import (
    CALL,
    SECTION,
    SECTION_END,
    Call,
    Case,
    call,
    markup,
)

TODOS: Call = ("save_todos", {"todos": [{"id": 1}]}, "functions.save_todos:0")
QUOTED_PARIS = '"{\\"city\\": \\"Paris\\"}"'


def broken(name: str, source: str, *deltas: dict[str, Any], **expected: Any) -> Case:
    return Case(name, source, deltas, **{"finish": "tool_calls", **expected})


def weather(arguments: str = PARIS, call_id: str | None = "functions.get_weather:0", **others: Any) -> dict[str, Any]:
    return call("get_weather", arguments, call_id, **others)


def todos(arguments: str) -> dict[str, Any]:
    return call("save_todos", arguments, "functions.save_todos:0")


NAMES = [
    broken(
        f"name {name!r}",
        source,
        call(name, PARIS, "functions.get_weather:0"),
        calls=(WEATHER,),
        repairs={"call_names": 1},
    )
    for name, source in {
        "functions.get_weather": "tailcallhq/forgecode#1141",
        "functions.get_weather:0": "tailcallhq/forgecode#1141",
        "get_weather:0": "gptme/gptme#830",
        "Get_Weather": "langchain-ai/langgraph#5071",
        "functions.GET_WEATHER:12": "langchain-ai/langgraph#5071",
        "": "tailcallhq/forgecode#1141",
    }.items()
]
NAMES += [
    broken(
        f"empty name beside the id {call_id!r}",
        "tailcallhq/forgecode#1141",
        call("", PARIS, call_id),
        calls=(named(call_id),),
        repairs={"call_names": 1},
    )
    for call_id in ("get_weather:3", "functions_get_weather_0", "functionsget_weather7")
]

ARGUMENTS = [
    broken("encoded twice", "MoonshotAI/Kimi-K2#26", weather(QUOTED_PARIS), calls=(WEATHER,), repairs={"arguments": 1}),
    broken(
        "encoded twice, blanks before",
        "MoonshotAI/Kimi-K2#26",
        weather(f" \n{QUOTED_PARIS}"),
        calls=(WEATHER,),
        repairs={"arguments": 1},
    ),
    broken(
        "encoded three times",
        "MoonshotAI/Kimi-K2#26",
        weather('"\\"{\\\\\\"city\\\\\\": \\\\\\"Paris\\\\\\"}\\""'),
        calls=(WEATHER,),
        repairs={"arguments": 1},
    ),
    broken(
        "encoded twice and nested",
        "MoonshotAI/kimi-cli#2406",
        todos('"{\\"todos\\": \\"[{\\\\\\"id\\\\\\": 1}]\\"}"'),
        calls=(TODOS,),
        repairs={"arguments": 2},
    ),
    broken(
        "a list as a string",
        "MoonshotAI/kimi-cli#2406",
        todos('{"todos": "[{\\"id\\": 1}]"}'),
        calls=(TODOS,),
        repairs={"arguments": 1},
    ),
    broken(
        "an object as a string",
        "MoonshotAI/kimi-cli#2407",
        todos('{"labels": "{\\"a\\": 1}"}'),
        calls=(("save_todos", {"labels": {"a": 1}}, "functions.save_todos:0"),),
        repairs={"arguments": 1},
    ),
    broken(
        "objects in a list as strings",
        "MoonshotAI/kimi-cli#2513",
        todos('{"todos": ["{\\"id\\": 1}", {"id": 2}]}'),
        calls=(("save_todos", {"todos": [{"id": 1}, {"id": 2}]}, "functions.save_todos:0"),),
        repairs={"arguments": 1},
    ),
    broken(
        "two values as strings",
        "anomalyco/opencode#1111",
        todos('{"todos": "[]", "note": "[]", "labels": "{}"}'),
        calls=(("save_todos", {"todos": [], "note": "[]", "labels": {}}, "functions.save_todos:0"),),
        repairs={"arguments": 2},
    ),
    broken(
        "the object twice",
        "LibreChat-AI/agents#260",
        weather(PARIS + PARIS),
        calls=(WEATHER,),
        repairs={"arguments": 1},
    ),
    broken(
        "the object three times, line breaks between",
        "LibreChat-AI/agents#260",
        weather(f"{PARIS}\n{PARIS}\n{PARIS}\n"),
        calls=(WEATHER,),
        repairs={"arguments": 1},
    ),
    broken(
        "two objects",
        "LibreChat-AI/agents#260",
        weather(PARIS + '{"city": "Rome"}'),
        invalid=(("get_weather", PARIS + '{"city": "Rome"}', "functions.get_weather:0"),),
    ),
    broken(
        "an empty object, then one",
        "ai-sdk-provider#489",
        weather("{}" + PARIS),
        invalid=(("get_weather", "{}" + PARIS, "functions.get_weather:0"),),
    ),
    broken("blanks after", "ai-sdk-provider#489", weather(PARIS + " \n"), calls=(WEATHER,)),
    broken(
        "line break in a string",
        "MoonshotAI/kimi-cli#1378",
        weather('{"city": "a\nb"}'),
        calls=(named("functions.get_weather:0", city="a\nb"),),
    ),
    broken(
        "cut off",
        "MoonshotAI/kimi-cli#758",
        weather('{"city": "Par'),
        finish="length",
        invalid=(("get_weather", '{"city": "Par', "functions.get_weather:0"),),
    ),
    broken(
        "cut off, encoded twice",
        "MoonshotAI/kimi-cli#758",
        weather('"{\\"city\\": \\"Par'),
        finish="length",
        invalid=(("get_weather", '"{\\"city\\": \\"Par', "functions.get_weather:0"),),
    ),
    broken(
        "cut off in a list as a string",
        "MoonshotAI/kimi-cli#758",
        todos('{"todos": "[{\\"id'),
        finish="length",
        invalid=(("save_todos", '{"todos": "[{\\"id', "functions.save_todos:0"),),
    ),
    broken(
        "a list as a string, broken",
        "MoonshotAI/kimi-cli#2406",
        todos('{"todos": "[{1"}'),
        calls=(("save_todos", {"todos": "[{1"}, "functions.save_todos:0"),),
    ),
    broken("nothing", "agno-agi/agno#9229", call("get_time", "", "functions.get_time:0"), calls=(TIME,)),
    broken(
        "text",
        "tinyhumansai/tinyagents#68",
        weather("Paris"),
        invalid=(("get_weather", "Paris", "functions.get_weather:0"),),
    ),
    broken(
        "a list",
        "tinyhumansai/tinyagents#68",
        weather('["Paris"]'),
        invalid=(("get_weather", '["Paris"]', "functions.get_weather:0"),),
    ),
]

BEFORE = {
    "tools": Case("", "", ()).body["tools"],
    "messages": [
        {"role": "assistant", "tool_calls": [{"id": "functions.get_weather:0", "function": {"name": "get_weather"}}]}
    ],
}
IDS = [
    broken(
        "missing id",
        "Gentleman-Programming/gentle-pi#1052",
        weather(call_id=None),
        calls=(WEATHER,),
        repairs={"call_ids": 1},
    ),
    broken("empty id", "langbot-app/LangBot#1040", weather(call_id=""), calls=(WEATHER,), repairs={"call_ids": 1}),
    broken(
        "missing id, later in the conversation",
        "yaogang1991/harness#392",
        weather(call_id=None),
        calls=(named("functions.get_weather:1"),),
        body=BEFORE,
        repairs={"call_ids": 1},
    ),
    broken(
        "the id of an earlier turn",
        "openclaw/openclaw#84730",
        weather(call_id="get_weather:0"),
        calls=(named("get_weather:1"),),
        body=BEFORE,
        taken=frozenset({"get_weather:0"}),
        repairs={"call_ids": 1},
    ),
    broken(
        "the ids of two earlier turns",
        "openclaw/openclaw#84730",
        weather(call_id="get_weather:0"),
        calls=(named("get_weather:2"),),
        body=BEFORE,
        taken=frozenset({"get_weather:0", "get_weather:1"}),
        repairs={"call_ids": 1},
    ),
    broken(
        "an id of another host's again",
        "fw-ai/fireconnect#16",
        weather(call_id="0"),
        calls=(named("0_1"),),
        taken=frozenset({"0"}),
        repairs={"call_ids": 1},
    ),
    broken(
        "one id for two calls",
        "openclaw/openclaw#84730",
        weather(call_id="exec:2"),
        weather('{"city": "Rome"}', "exec:2", index=1),
        calls=(named("exec:2"), named("exec:2_1", city="Rome")),
        repairs={"call_ids": 1},
    ),
    broken(
        "leaked with the id of an earlier turn",
        "openclaw/openclaw#84730",
        {"content": ONE},
        finish="stop",
        ends="tool_calls",
        calls=(named("functions.get_weather:1"),),
        body=BEFORE,
        taken=frozenset({"functions.get_weather:0"}),
        repairs={"markup": 1},
    ),
]

BOTH = [
    broken(
        "leaked and structured",
        "vllm-project/vllm#31207",
        {"content": f"{SECTION}{ONE}{SECTION_END}"},
        weather(),
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "structured, then leaked",
        "vllm-project/vllm#31207",
        weather(),
        {"content": ONE},
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "leaked and structured, another id",
        "vllm-project/vllm#31207",
        {"content": ONE},
        weather(call_id="call_1"),
        calls=(named("call_1"),),
        repairs={"markup": 1},
    ),
    broken(
        "leaked and structured, other arguments under the id",
        "vllm-project/vllm#31207",
        {"content": markup("functions.get_weather:0", "{}")},
        weather(),
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "leaked and structured, written otherwise",
        "vllm-project/vllm#31207",
        {"content": markup("get_weather:7", '{"city":"Paris"}')},
        weather(),
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "one structured, one leaked",
        "vllm-project/vllm#31207",
        {"content": TWO},
        weather(),
        calls=(WEATHER, ROME),
        repairs={"markup": 1},
    ),
    broken(
        "a draft in the reasoning, then the call",
        "MoonshotAI/Kimi-K2#89",
        {"reasoning": f"I call.{markup('functions.get_weather:0', '{}')}"},
        weather(),
        reasoning="I call.",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "a draft in the reasoning, then an answer",
        "anomalyco/opencode#4131",
        {"reasoning": f"I call.{ONE}"},
        {"content": "No need."},
        finish="stop",
        reasoning="I call.",
        content="No need.",
        repairs={"markup": 1},
    ),
    broken(
        "half a draft in the reasoning, then an answer",
        "anomalyco/opencode#4131",
        {"reasoning": f"I call.{CALL}functions.get_w"},
        {"content": "No need."},
        finish="stop",
        reasoning="I call.",
        content="No need.",
        repairs={"markup": 1},
    ),
    broken(
        "a draft in the reasoning and a call in the text",
        "anomalyco/opencode#4131",
        {"reasoning": ONE},
        {"content": TWO},
        finish="stop",
        ends="tool_calls",
        calls=(ROME,),
        repairs={"markup": 2},
    ),
    broken(
        "a call in the reasoning, blanks in the text",
        "anomalyco/opencode#8851",
        {"reasoning": ONE},
        {"content": "\n"},
        finish="stop",
        ends="tool_calls",
        content="\n",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
    broken(
        "in the reasoning of another spelling",
        "vybestack/llxprt-code#750",
        {"reasoning_content": f"I call.{ONE}"},
        finish="stop",
        ends="tool_calls",
        reasoning="I call.",
        calls=(WEATHER,),
        repairs={"markup": 1},
    ),
]

ORDER = [
    broken(
        "one index for two calls",
        "langchain-ai/langchain#35281",
        weather(),
        weather('{"city": "Rome"}', "functions.get_weather:1"),
        calls=(WEATHER, ROME),
    ),
    broken(
        "no index, two calls",
        "ollama/ollama#7881",
        weather(index=None),
        weather('{"city": "Rome"}', "functions.get_weather:1", index=None),
        calls=(WEATHER, ROME),
    ),
    broken("the first index is one", "BerriAI/litellm#21337", weather(index=1), calls=(WEATHER,)),
    broken("calls, finished as stop", "vllm-project/vllm#43155", weather(), finish="stop", calls=(WEATHER,)),
    broken("calls, never finished", "OpenRouterTeam/ai-sdk-provider#420", weather(), finish=None, calls=(WEATHER,)),
]

BROKEN: list[Case] = [*NAMES, *ARGUMENTS, *IDS, *BOTH, *ORDER]
