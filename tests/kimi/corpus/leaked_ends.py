"""Texts with truncated markup, markers without a call, and calls without markers."""

from tests.kimi.corpus.calls import ONE, PARIS, ROME, WEATHER, named
from tests.kimi.corpus.cases import (
    CALL,
    CALL_END,
    SECTION,
    SECTION_END,
    TURN_END,
    leaked,
    markup,
)

CUT = [
    leaked(
        "cut in the JSON",
        "MoonshotAI/kimi-cli#758",
        SECTION + markup("functions.get_weather:0", '{"city": "Par', ""),
        finish="length",
        invalid=(("get_weather", '{"city": "Par', "functions.get_weather:0"),),
    ),
    leaked(
        "cut after the JSON",
        "sgl-project/sglang#23341",
        SECTION + markup("functions.get_weather:0", PARIS, ""),
        finish="length",
        invalid=(("get_weather", PARIS, "functions.get_weather:0"),),
    ),
    leaked(
        "cut in the end marker",
        "sgl-project/sglang#23341",
        SECTION + markup("functions.get_weather:0", PARIS, CALL_END[:-3]),
        finish="length",
        invalid=(("get_weather", PARIS, "functions.get_weather:0"),),
    ),
    leaked(
        "cut in the second call",
        "MoonshotAI/kimi-cli#758",
        SECTION + ONE + markup("functions.get_weather:1", '{"ci', ""),
        finish="length",
        calls=(WEATHER,),
        invalid=(("get_weather", '{"ci', "functions.get_weather:1"),),
        ends="length",
    ),
    leaked(
        "cut after the id",
        "sgl-project/sglang#23341",
        SECTION + CALL + "functions.get_weather:0",
        finish="length",
        invalid=(("get_weather", "", "functions.get_weather:0"),),
    ),
    leaked(
        "cut before the JSON",
        "sgl-project/sglang#23341",
        SECTION + markup("functions.get_weather:0", "", ""),
        finish="length",
        invalid=(("get_weather", "", "functions.get_weather:0"),),
    ),
    leaked(
        "cut in the id",
        "sgl-project/sglang#23341",
        SECTION + CALL + "functions.get_w",
        finish="length",
        invalid=(("", "functions.get_w", "functions.unknown_tool:0"),),
    ),
    leaked(
        "stopped in the JSON, without a reason",
        "anomalyco/opencode#1021",
        SECTION + markup("functions.get_weather:0", '{"city": "Par', ""),
        invalid=(("get_weather", '{"city": "Par', "functions.get_weather:0"),),
    ),
    leaked(
        "cut by a filter",
        "sgl-project/sglang#23341",
        SECTION + markup("functions.get_weather:0", PARIS, ""),
        finish="content_filter",
        invalid=(("get_weather", PARIS, "functions.get_weather:0"),),
    ),
    leaked(
        "whole, then cut", "sgl-project/sglang#23341", SECTION + ONE, finish="length", calls=(WEATHER,), ends="length"
    ),
    leaked("whole, never finished", "tailcallhq/forgecode#1121", SECTION + ONE, finish=None, calls=(WEATHER,)),
    leaked(
        "finished as calls, without calls",
        "MoonshotAI/Kimi-K2#26",
        SECTION + ONE + SECTION_END,
        finish="tool_calls",
        calls=(WEATHER,),
    ),
]

TOKENS = "moonshotai/Kimi-K2, tokenizer_config.json and generation_config.json"
NEXT_TURN = "<|im_user|>user<|im_middle|>And then?"
RESULT = f"<|im_system|>get_weather<|im_middle|>## Return of functions.get_weather:0\nSunny.{TURN_END}"
NEXT_ANSWER = f"<|im_assistant|>assistant<|im_middle|>{ONE}"
NEXT_TURNS = [
    leaked(name, TOKENS, f"Hello.{TURN_END}{rest}", content="Hello.", repairs={"markup": 1}, finish=finish)
    for name, rest, finish in (
        ("another turn", NEXT_TURN, "stop"),
        ("another turn on its own line", f"\n{NEXT_TURN}{TURN_END}\n", "length"),
        ("two more turns with a call", f"{NEXT_TURN}{TURN_END}{NEXT_ANSWER}", "stop"),
        ("the beginning of another turn", "<|im_us", "length"),
        ("another turn without its text", "<|im_user|>us", "length"),
        ("the end of the document", "[EOS]", "stop"),
        ("the end of the document on its own line", "\n[EOS]", "stop"),
        ("the end of the document and another turn", f"[EOS]{NEXT_TURN}", "length"),
    )
]
NEXT_TURNS += [
    leaked(
        "a call, its result, and another call",
        TOKENS,
        SECTION + ONE + SECTION_END + TURN_END + RESULT + NEXT_ANSWER.replace("Paris", "Rome"),
        calls=(WEATHER,),
    ),
    leaked(
        "the turn's end in an open code block",
        TOKENS,
        f"```\ncode{TURN_END}",
        content="```\ncode",
        repairs={"markup": 1},
    ),
    leaked(
        "ends in an open code block",
        TOKENS,
        f"~~~\ncode\n{CALL_END}{SECTION_END}",
        content="~~~\ncode\n",
        repairs={"markup": 1},
    ),
]
STRAY = [
    *NEXT_TURNS,
    leaked("the turn's end", "MoonshotAI/Kimi-K2#128", f"Hello.{TURN_END}", content="Hello.", repairs={"markup": 1}),
    leaked(
        "a section's end", "vllm-project/vllm#31207", f"Hello.{SECTION_END}", content="Hello.", repairs={"markup": 1}
    ),
    leaked(
        "several ends",
        "vllm-project/vllm#31207",
        f"Hello.{CALL_END}{SECTION_END}{TURN_END}\n",
        content="Hello.\n",
        repairs={"markup": 1},
    ),
    leaked(
        "an empty section",
        "sgl-project/sglang#23341",
        f"Hello.{SECTION}{SECTION_END}",
        content="Hello.",
        repairs={"markup": 1},
    ),
    leaked(
        "a section's begin, then nothing",
        "sgl-project/sglang#23341",
        f"Hello.\n{SECTION}",
        content="Hello.\n",
        repairs={"markup": 1},
    ),
    leaked(
        "a call's begin, then nothing",
        "sgl-project/sglang#23341",
        f"Hello.\n{SECTION}{CALL}",
        content="Hello.\n",
        repairs={"markup": 1},
    ),
    leaked(
        "a section's begin, cut",
        "sgl-project/sglang#23341",
        f"Hello.{SECTION}{CALL[:5]}",
        finish="length",
        content="Hello.",
        repairs={"markup": 1},
    ),
    leaked(
        "an end some way after a call",
        "vllm-project/vllm#31207",
        f"{ONE}Now.{SECTION_END} Then.",
        calls=(WEATHER,),
        content="Now. Then.",
        repairs={"markup": 2},
    ),
]

BARE = [
    leaked("markers stripped", "openclaw/openclaw#70030", f"functions.get_weather:0{PARIS}", calls=(WEATHER,)),
    leaked(
        "markers stripped, text before",
        "openclaw/openclaw#70030",
        f"I look.functions.get_weather:0{PARIS}",
        calls=(WEATHER,),
        content="I look.",
    ),
    leaked(
        "markers stripped, two calls",
        "openclaw/openclaw#70030",
        f'functions.get_weather:0{PARIS}functions.get_weather:1{{"city": "Rome"}}',
        calls=(WEATHER, ROME),
    ),
    leaked(
        "markers stripped, a blank between",
        "openclaw/openclaw#70030",
        f"functions.get_weather:0\n{PARIS}\nDone",
        calls=(WEATHER,),
        content="\nDone",
    ),
    leaked(
        "markers stripped, braces in a string",
        "openclaw/openclaw#70030",
        'functions.get_weather:0{"city": "}{"}',
        calls=(named("functions.get_weather:0", city="}{"),),
    ),
    leaked(
        "markers stripped, the section left",
        "openclaw/openclaw#70030",
        f"{SECTION}functions.get_weather:0{PARIS}{SECTION_END}",
        calls=(WEATHER,),
    ),
]
