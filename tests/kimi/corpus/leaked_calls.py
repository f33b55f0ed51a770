"""Texts with every observed form of ids and arguments in markup."""

from tests.kimi.corpus.calls import PARIS, ROME, TWO, WEATHER, named
from tests.kimi.corpus.cases import (
    CALL_END,
    SECTION,
    SECTION_END,
    leaked,
    markup,
)

IDS = [
    leaked(
        "short id", "MoonshotAI/K2-Vendor-Verifier#13", markup("get_weather:0", PARIS), calls=(named("get_weather:0"),)
    ),
    leaked("id is the name", "gptme/gptme#830", markup("get_weather", PARIS), calls=(named("get_weather"),)),
    leaked(
        "id without a number",
        "gptme/gptme#830",
        markup("functions.get_weather", PARIS),
        calls=(named("functions.get_weather"),),
    ),
    leaked(
        "high number",
        "vybestack/llxprt-code#713",
        markup("functions.get_weather:117", PARIS),
        calls=(named("functions.get_weather:117"),),
    ),
    leaked(
        "cleaned id",
        "openclaw/openclaw#70030",
        markup("functionsget_weather0", PARIS),
        calls=(named("functionsget_weather0"),),
    ),
    leaked(
        "cleaned id with underscores",
        "MoonshotAI/kimi-code#2503",
        markup("functions_get_weather_0", PARIS),
        calls=(named("functions_get_weather_0"),),
    ),
    leaked(
        "cleaned id, other case",
        "MoonshotAI/kimi-code#3429",
        markup("functions_Get_Weather_12", PARIS),
        calls=(named("functions_Get_Weather_12"),),
    ),
    leaked(
        "name with a dash",
        "vllm-project/vllm#22149",
        markup("functions.search-web:0", '{"query": "x"}'),
        calls=(("search-web", {"query": "x"}, "functions.search-web:0"),),
    ),
    leaked(
        "name in another case",
        "langchain-ai/langgraph#5071",
        markup("functions.Get_Weather:0", PARIS),
        calls=(named("functions.Get_Weather:0"),),
    ),
    leaked(
        "invented id, name inside",
        "vllm-project/vllm#32146",
        SECTION + markup("call_abc123", '{"name": "list_files", "path": "/home"}') + SECTION_END,
        calls=(("list_files", {"path": "/home"}, "call_abc123"),),
    ),
    leaked(
        "invented id, name and arguments inside",
        "sgl-project/sglang#25362",
        markup("call00003", '{"name": "get_weather", "arguments": {"city": "Paris"}}'),
        calls=(named("call00003"),),
    ),
    leaked(
        "invented id, arguments inside as text",
        "sgl-project/sglang#10972",
        markup("call_1", '{"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}'),
        calls=(named("call_1"),),
    ),
    leaked(
        "invented id, no name anywhere",
        "sgl-project/sglang#25362",
        markup("call_abc123", '{"path": "/home"}'),
        invalid=(("", '{"path": "/home"}', "call_abc123"),),
    ),
    leaked(
        "empty id, name inside",
        "langbot-app/LangBot#1040",
        markup("", '{"name": "get_weather", "city": "Paris"}'),
        calls=(named("functions.get_weather:0"),),
    ),
    leaked(
        "a tool of the past beside one of now",
        "anomalyco/opencode#34071",
        SECTION + markup("functions.img_gen:0", "{}") + TWO + SECTION_END,
        calls=(("img_gen", {}, "functions.img_gen:0"), ROME),
    ),
]

JSON = [
    leaked(
        "arguments as a JSON string",
        "MoonshotAI/Kimi-K2#26",
        markup("functions.get_weather:0", '"{\\"city\\": \\"Paris\\"}"'),
        finish="tool_calls",
        calls=(WEATHER,),
    ),
    leaked(
        "markers in a string",
        "MoonshotAI/Kimi-K2#89",
        markup("functions.get_weather:0", f'{{"city": "{CALL_END}{SECTION_END}"}}'),
        calls=(named("functions.get_weather:0", city=CALL_END + SECTION_END),),
    ),
    leaked(
        "the beginning of a marker in a string",
        "MoonshotAI/Kimi-K2#89",
        markup("functions.get_weather:0", '{"city": "a <| b <|tool"}'),
        calls=(named("functions.get_weather:0", city="a <| b <|tool"),),
    ),
    leaked(
        "brackets and quotes in a string",
        "MoonshotAI/kimi-cli#1378",
        markup("functions.get_weather:0", '{"city": "}]\\"{\\\\"}'),
        calls=(named("functions.get_weather:0", city='}]"{\\'),),
    ),
    leaked(
        "line break in a string",
        "MoonshotAI/kimi-cli#1378",
        markup("functions.get_weather:0", '{"city": "a\nb"}'),
        calls=(named("functions.get_weather:0", city="a\nb"),),
    ),
    leaked(
        "nested objects",
        "MoonshotAI/kimi-cli#2406",
        markup("functions.save_todos:0", '{"todos": [{"id": 1}, {"id": 2}]}'),
        calls=(("save_todos", {"todos": [{"id": 1}, {"id": 2}]}, "functions.save_todos:0"),),
    ),
    leaked(
        "a nested list as a string",
        "MoonshotAI/kimi-cli#2406",
        markup("functions.save_todos:0", '{"todos": "[{\\"id\\": 1}]"}'),
        calls=(("save_todos", {"todos": [{"id": 1}]}, "functions.save_todos:0"),),
        repairs={"arguments": 1, "markup": 1},
    ),
    leaked(
        "quote tokens of another template",
        "tinyhumansai/tinyagents#68",
        markup("functions.get_weather:0", '{"city": [<|">Paris<|">]}'),
        invalid=(("get_weather", '{"city": [<|">Paris<|">]}', "functions.get_weather:0"),),
    ),
    leaked(
        "doubled braces",
        "tinyhumansai/tinyagents#68",
        markup("functions.get_weather:0", '{{city: "Paris"}}'),
        invalid=(("get_weather", '{{city: "Paris"}}', "functions.get_weather:0"),),
    ),
    leaked(
        "two objects",
        "LibreChat-AI/agents#260",
        markup("functions.get_weather:0", '{"city": "a"}{"city": "b"}'),
        invalid=(("get_weather", '{"city": "a"}{"city": "b"}', "functions.get_weather:0"),),
    ),
    leaked(
        "no JSON at all",
        "tinyhumansai/tinyagents#68",
        markup("functions.get_weather:0", "Paris"),
        invalid=(("get_weather", "Paris", "functions.get_weather:0"),),
    ),
    leaked(
        "null",
        "tinyhumansai/tinyagents#68",
        markup("functions.get_weather:0", "null"),
        invalid=(("get_weather", "null", "functions.get_weather:0"),),
    ),
    leaked(
        "string not closed, one more call after",
        "MoonshotAI/kimi-cli#758",
        markup("functions.get_weather:0", '{"city": "Par') + TWO,
        calls=(ROME,),
        invalid=(("get_weather", '{"city": "Par', "functions.get_weather:0"),),
    ),
    leaked(
        "nothing, though something is needed",
        "agno-agi/agno#9229",
        markup("functions.get_weather:0", ""),
        invalid=(("get_weather", "", "functions.get_weather:0"),),
    ),
]
