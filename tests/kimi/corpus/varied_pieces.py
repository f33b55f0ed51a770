"""Structured calls in unusual pieces, which are not split any further."""

from typing import Any

from tests.kimi.corpus.calls import PARIS, TIME, WEATHER, named
from tests.kimi.corpus.cases import Case, call
from tests.kimi.corpus.wire import broken, todos, weather

FIRST = "functions.get_weather:0"


def more(arguments: str, index: Any = 0, **others: Any) -> dict[str, Any]:
    """Return a delta with the next piece of a call's arguments."""
    return {"tool_calls": [{"index": index, **others, "function": {"arguments": arguments}}]}


VARIED_PIECES: list[Case] = [
    broken(
        "cumulative",
        "NousResearch/hermes-agent#35592",
        weather('{"ci'),
        weather('{"city": "Pa', None),
        weather(PARIS, None),
        calls=(WEATHER,),
        repairs={"arguments": 1},
    ),
    broken(
        "cumulative named",
        "NousResearch/hermes-agent#35592",
        weather("{"),
        weather('{"city"'),
        weather('{"city": "Pa'),
        weather(PARIS),
        calls=(WEATHER,),
        repairs={"arguments": 1},
    ),
    broken(
        "cumulative, cut",
        "NousResearch/hermes-agent#35592",
        weather('{"ci'),
        weather('{"city": "Pa', None),
        finish="length",
        invalid=(("get_weather", '{"ci{"city": "Pa', FIRST),),
    ),
    broken(
        "name late",
        "after langchain-ai/langchain#35281",
        call("", "", FIRST),
        call("get_weather", PARIS, None),
        calls=(WEATHER,),
    ),
    broken(
        "name last",
        "after langchain-ai/langchain#35281",
        call("", PARIS, FIRST),
        call("get_weather", "", None),
        calls=(WEATHER,),
    ),
    broken(
        "ids null later",
        "after langchain-ai/langchain#35281",
        weather('{"city": '),
        {"tool_calls": [{"index": 0, "id": None, "type": "", "function": {"name": None, "arguments": '"Paris"}'}}]},
        calls=(WEATHER,),
    ),
    broken(
        "ids empty later",
        "after langchain-ai/langchain#35281",
        weather('{"city": '),
        {"tool_calls": [{"index": 0, "id": "", "type": "", "function": {"name": "", "arguments": '"Paris"}'}}]},
        calls=(WEATHER,),
    ),
    broken(
        "another random id each piece",
        "poolsideai/pool#9",
        weather('{"ci', "chatcmpl-tool-1"),
        more('ty": "Pa', id="chatcmpl-tool-2"),
        more('ris"}', id="chatcmpl-tool-3"),
        calls=(named("chatcmpl-tool-1"),),
    ),
    broken(
        "same id, rising index",
        "after langchain-ai/langchain#35281",
        weather('{"ci'),
        more('ty": "Pa', 1, id=FIRST),
        more('ris"}', 2, id=FIRST),
        calls=(WEATHER,),
    ),
    broken(
        "index null, arguments later no id",
        "after langchain-ai/langchain#35281",
        weather('{"ci', index=None),
        more('ty": "Paris"}', None),
        calls=(WEATHER,),
    ),
    broken(
        "all zero, no id, names differ",
        "after langchain-ai/langchain#35281",
        call("get_weather", PARIS, None),
        call("get_time", "{}", None),
        calls=(WEATHER, ("get_time", {}, "functions.get_time:1")),
        repairs={"call_ids": 2},
    ),
    broken(
        "arguments object",
        "after langchain-ai/langchain#35281",
        call("get_weather", {"city": "Paris"}, FIRST),
        calls=(WEATHER,),
    ),
    broken(
        "arguments None",
        "after langchain-ai/langchain#35281",
        call("get_time", None, "functions.get_time:0"),
        calls=(TIME,),
    ),
    broken(
        "whitespace arguments",
        "after langchain-ai/langchain#35281",
        call("get_time", "  ", "functions.get_time:0"),
        calls=(TIME,),
    ),
    broken(
        "index as text",
        "after langchain-ai/langchain#35281",
        weather('{"ci', index="0"),
        more('ty": "Paris"}', "0"),
        calls=(WEATHER,),
    ),
    broken(
        "one dict for list of calls in two deltas interleaved",
        "after langchain-ai/langchain#35281",
        {
            "tool_calls": [
                {"index": 0, "id": "a", "function": {"name": "get_weather", "arguments": '{"ci'}},
                {"index": 1, "id": "b", "function": {"name": "get_weather", "arguments": '{"city"'}},
            ]
        },
        {
            "tool_calls": [
                {"index": 1, "function": {"arguments": ': "Rome"}'}},
                {"index": 0, "function": {"arguments": 'ty": "Paris"}'}},
            ]
        },
        calls=(named("a"), named("b", city="Rome")),
    ),
    broken(
        "empty call list",
        "after langchain-ai/langchain#35281",
        {"tool_calls": []},
        {"content": "Hi", "tool_calls": []},
        content="Hi",
        finish="stop",
    ),
    broken(
        "call, text between pieces",
        "after langchain-ai/langchain#35281",
        weather('{"ci'),
        {"content": "hm"},
        more('ty": "Paris"}'),
        content="hm",
        calls=(WEATHER,),
    ),
    broken(
        "call, reasoning between",
        "after vybestack/llxprt-code#749",
        weather('{"ci'),
        {"reasoning": "hm"},
        more('ty": "Paris"}'),
        reasoning="hm",
        calls=(WEATHER,),
    ),
    broken(
        "cumulative blanks",
        "NousResearch/hermes-agent#35592",
        weather('{"city"'),
        weather('{"city": "Paris"', None),
        weather(PARIS, None),
        weather(" ", None),
        calls=(WEATHER,),
        repairs={"arguments": 1},
    ),
    broken(
        "random ids, first empty",
        "poolsideai/pool#9",
        weather("", "a1"),
        more('{"city": ', id="a2"),
        more('"Paris"}', id="a3", type="function"),
        calls=(named("a1"),),
    ),
    broken(
        "OpenAI's first form",
        "after tailcallhq/forgecode#1141",
        {"function_call": {"name": "get_weather", "arguments": ""}},
        {"content": "I look.", "function_call": {"arguments": '{"city": '}},
        {"function_call": {"name": "get_weather", "arguments": '"Paris"}'}},
        finish="function_call",
        content="I look.",
        calls=(WEATHER,),
        repairs={"call_ids": 1},
    ),
    broken(
        "objects in place of lists",
        "after langchain-ai/langchain#35281",
        {"tool_calls": weather('{"ci')["tool_calls"][0]},
        {"tool_calls": more('ty": "Paris"}')["tool_calls"][0]},
        calls=(WEATHER,),
    ),
    broken(
        "name, then arguments at another index with the id",
        "after langchain-ai/langchain#35281",
        call("get_weather", "", FIRST),
        more(PARIS, 1, id=FIRST),
        calls=(WEATHER,),
    ),
]

# The second piece begins as the first did, and is no repetition of it.
HEALTHY_PIECES: list[Case] = [
    broken(
        "nested same key",
        "",
        todos('{"labels": '),
        more('{"labels": {}}}'),
        calls=(("save_todos", {"labels": {"labels": {}}}, "functions.save_todos:0"),),
    ),
    broken(
        "piece begins like before, in list",
        "",
        todos('{"todos": ['),
        more('{"todos": [1]}]}'),
        calls=(("save_todos", {"todos": [{"todos": [1]}]}, "functions.save_todos:0"),),
    ),
]
