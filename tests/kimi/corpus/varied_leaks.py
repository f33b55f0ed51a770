"""Variations of reported leaks: markers and ids."""

from tests.kimi.corpus.calls import ONE, PARIS, ROME, TIME, TWO, WEATHER, named
from tests.kimi.corpus.cases import (
    ARGUMENTS,
    CALL,
    CALL_END,
    ONE_SECTION,
    ONE_SECTION_END,
    SECTION,
    SECTION_END,
    TURN_END,
    Case,
    lifted,
    markup,
)

FIRST = "functions.get_weather:0"


MARKERS = [
    lifted(
        "nested sections",
        "after vllm-project/vllm#28543",
        SECTION + ONE_SECTION + ONE + ONE_SECTION_END + SECTION_END,
        WEATHER,
    ),
    lifted(
        "section ended before begun",
        "after vllm-project/vllm#28543",
        SECTION_END + SECTION + ONE + SECTION_END,
        WEATHER,
    ),
    lifted("only section end after", "after vllm-project/vllm#28543", ONE + SECTION_END, WEATHER),
    lifted(
        "arguments marker twice",
        "after vllm-project/vllm#28543",
        SECTION + CALL + FIRST + ARGUMENTS + ARGUMENTS + PARIS + CALL_END + SECTION_END,
        WEATHER,
    ),
    lifted(
        "arguments marker twice with blanks",
        "after vllm-project/vllm#28543",
        CALL + FIRST + ARGUMENTS + "\n" + ARGUMENTS + " " + PARIS + CALL_END,
        WEATHER,
    ),
    lifted(
        "every marker twice",
        "after vllm-project/vllm#28543",
        SECTION * 2 + CALL * 2 + FIRST + ARGUMENTS * 2 + PARIS + CALL_END * 2 + SECTION_END * 2,
        WEATHER,
    ),
    lifted(
        "section per call singular",
        "after vllm-project/vllm#28543",
        ONE_SECTION + ONE + ONE_SECTION_END + "\n" + ONE_SECTION + TWO + ONE_SECTION_END,
        WEATHER,
        ROME,
    ),
    lifted(
        "three calls, two tools",
        "after vllm-project/vllm#28543",
        SECTION
        + ONE
        + markup("functions.get_time:1", "{}")
        + markup("functions.get_weather:2", '{"city": "Rome"}')
        + SECTION_END,
        WEATHER,
        ("get_time", {}, "functions.get_time:1"),
        named("functions.get_weather:2", city="Rome"),
    ),
    lifted(
        "begin section between calls",
        "after vllm-project/vllm#28543",
        SECTION + ONE + SECTION + TWO + SECTION_END,
        WEATHER,
        ROME,
    ),
    lifted(
        "turn end between sections",
        "after vllm-project/vllm#28543",
        SECTION + ONE + SECTION_END + TURN_END + SECTION + TWO + SECTION_END + TURN_END,
        WEATHER,
        ROME,
    ),
    lifted("section end singular only", "after vllm-project/vllm#28543", SECTION + ONE + ONE_SECTION_END, WEATHER),
    lifted(
        "text between calls in section",
        "after vllm-project/vllm#28543",
        SECTION + ONE + "and" + TWO + SECTION_END,
        WEATHER,
        ROME,
        content="and",
    ),
    lifted(
        "long text before",
        "after vllm-project/vllm#28543",
        "Let me check the weather in Paris for you. " * 20 + SECTION + ONE + SECTION_END,
        WEATHER,
        content="Let me check the weather in Paris for you. " * 20,
    ),
    lifted(
        "newline after section",
        "after vllm-project/vllm#28543",
        SECTION + "\n\n" + ONE + "\n\n" + SECTION_END + "\n",
        WEATHER,
        content="\n",
    ),
    lifted("crlf", "after vllm-project/vllm#28543", SECTION + "\r\n" + ONE + "\r\n" + SECTION_END, WEATHER),
    lifted("tab in between", "after vllm-project/vllm#28543", SECTION + "\t" + ONE, WEATHER),
    lifted(
        "turn end in the middle of section",
        "after vllm-project/vllm#28543",
        SECTION + ONE + TURN_END + TWO + SECTION_END,
        WEATHER,
        ROME,
    ),
]

IDS = [
    lifted(
        "id with blank before number",
        "after openclaw/openclaw#70030",
        markup("functions.get_weather: 0", PARIS),
        WEATHER,
    ),
    lifted(
        "id with blank before colon",
        "after openclaw/openclaw#70030",
        markup("functions.get_weather :0", PARIS),
        WEATHER,
    ),
    lifted(
        "id with blank after dot", "after openclaw/openclaw#70030", markup("functions. get_weather:0", PARIS), WEATHER
    ),
    lifted(
        "id singular function",
        "after openclaw/openclaw#70030",
        markup("function.get_weather:0", PARIS),
        named("function.get_weather:0"),
    ),
    lifted(
        "id other namespace",
        "after openclaw/openclaw#70030",
        markup("tools.get_weather:0", PARIS),
        named("tools.get_weather:0"),
    ),
    lifted(
        "id upper prefix",
        "after openclaw/openclaw#70030",
        markup("Functions.get_weather:0", PARIS),
        named("Functions.get_weather:0"),
    ),
    lifted(
        "id functions colon",
        "after openclaw/openclaw#70030",
        markup("functions:get_weather:0", PARIS),
        named("functions:get_weather:0"),
    ),
    lifted(
        "id slash",
        "after openclaw/openclaw#70030",
        markup("functions/get_weather:0", PARIS),
        named("functions/get_weather:0"),
    ),
    lifted(
        "id name with underscore number",
        "after openclaw/openclaw#70030",
        markup("get_weather_0", PARIS),
        named("get_weather_0"),
    ),
    lifted(
        "id name dash number", "after openclaw/openclaw#70030", markup("get_weather-0", PARIS), named("get_weather-0")
    ),
    *(
        lifted(f"id {spelling}", "after openclaw/openclaw#70030", markup(spelling, PARIS), WEATHER)
        for spelling in (
            *('"functions.get_weather:0"', "`functions.get_weather:0`", "functions.get_weather(0)"),
            *("functions.get_weather[0]", "functions.get_weather#0"),
        )
    ),
    *(
        lifted(f"id {spelling}", "after openclaw/openclaw#70030", markup(spelling, PARIS), named(spelling))
        for spelling in (
            *("functions.functions.get_weather:0", "functions.get_weather:0:0", "functions.getWeather:0"),
            "functions.get-weather:0",
        )
    ),
    lifted("id newline", "after openclaw/openclaw#70030", markup("\nfunctions.get_weather:0\n", PARIS), WEATHER),
    lifted(
        "toolu id, name inside",
        "after vllm-project/vllm#32146",
        markup("toolu_01AbC", '{"name": "get_weather", "input": {"city": "Paris"}}'),
        named("toolu_01AbC"),
    ),
    lifted(
        "number id, name inside",
        "after vllm-project/vllm#32146",
        markup("0", '{"name": "get_weather", "parameters": {"city": "Paris"}}'),
        named("0"),
    ),
    lifted(
        "uuid, name inside",
        "after vllm-project/vllm#32146",
        markup("019a45a41a309e10444bdd589f8242df", '{"name": "get_weather", "arguments": {"city": "Paris"}}'),
        named("019a45a41a309e10444bdd589f8242df"),
    ),
    lifted(
        "chatcmpl id, function key",
        "after vllm-project/vllm#32146",
        markup("chatcmpl-tool-bd616b1cb14549c7", '{"name": "functions.get_weather", "arguments": {"city": "Paris"}}'),
        named("chatcmpl-tool-bd616b1cb14549c7"),
    ),
    lifted(
        "two foreign, one nameless",
        "after vllm-project/vllm#32146",
        markup("call_1a", '{"name":"get_time"}') + markup("call_2b", '{"x":1}'),
        ("get_time", {}, "call_1a"),
        invalid=(("", '{"x":1}', "call_2b"),),
    ),
    lifted(
        "name only without section, no arguments marker",
        "after openclaw/openclaw#70030",
        CALL + "functions.get_time:0" + CALL_END,
        TIME,
    ),
    lifted(
        "big number",
        "after openclaw/openclaw#70030",
        markup("functions.get_weather:000", PARIS),
        named("functions.get_weather:000"),
    ),
    lifted(
        "id unicode blank", "after openclaw/openclaw#70030", markup(" functions.get_weather:0\u00a0", PARIS), WEATHER
    ),
    lifted(
        "foreign marker before",
        "after vllm-project/vllm#32146",
        "<|im_middle|>" + ONE,
        WEATHER,
        content="<|im_middle|>",
    ),
]

VARIED_LEAKS: list[Case] = [*MARKERS, *IDS]
