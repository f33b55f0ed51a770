"""Texts with complete, incomplete and repeated markup, and text around it."""

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
    leaked,
    markup,
)

MARKERS = [
    leaked("whole section", "BerriAI/litellm#12679", SECTION + ONE + SECTION_END, calls=(WEATHER,)),
    leaked(
        "text before",
        "cline/cline#12980",
        f"I look.\n{SECTION}{ONE}{SECTION_END}",
        calls=(WEATHER,),
        content="I look.\n",
    ),
    leaked(
        "text after",
        "vllm-project/vllm#38579",
        f"{SECTION}{ONE}{SECTION_END}\nWait.",
        calls=(WEATHER,),
        content="\nWait.",
    ),
    leaked(
        "text around", "vllm-project/vllm#31207", f"A {SECTION}{ONE}{SECTION_END} b.", calls=(WEATHER,), content="A  b."
    ),
    leaked(
        "letters of other scripts",
        "MoonshotAI/Kimi-K2#26",
        "看天气。🌦" + SECTION + markup("functions.get_weather:0", '{"city": "巴黎🗼"}'),
        calls=(named("functions.get_weather:0", city="巴黎🗼"),),
        content="看天气。🌦",
    ),
    leaked("singular section", "ggml-org/llama.cpp#17376", ONE_SECTION + ONE + ONE_SECTION_END, calls=(WEATHER,)),
    leaked(
        "singular begun, plural ended", "vllm-project/vllm#34955", ONE_SECTION + ONE + SECTION_END, calls=(WEATHER,)
    ),
    leaked("no section", "sgl-project/sglang#25071", ONE, calls=(WEATHER,)),
    leaked("no section, two calls", "sgl-project/sglang#25071", ONE + TWO, calls=(WEATHER, ROME)),
    leaked("section not closed", "anomalyco/opencode#1021", SECTION + ONE, calls=(WEATHER,)),
    leaked(
        "nothing closed",
        "sgl-project/sglang#23341",
        SECTION + markup("functions.get_weather:0", PARIS, ""),
        calls=(WEATHER,),
    ),
    leaked(
        "call not closed, section closed",
        "anomalyco/opencode#1021",
        SECTION + markup("functions.get_weather:0", PARIS, "") + SECTION_END,
        calls=(WEATHER,),
    ),
    leaked(
        "first call not closed",
        "anomalyco/opencode#10382",
        SECTION + markup("functions.get_weather:0", PARIS, "") + TWO + SECTION_END,
        calls=(WEATHER, ROME),
    ),
    leaked(
        "not closed, text after",
        "anomalyco/opencode#1021",
        markup("functions.get_weather:0", PARIS, "") + "\n\nI wait.",
        calls=(WEATHER,),
        content="\n\nI wait.",
    ),
    leaked(
        "end marker cut",
        "sgl-project/sglang#23341",
        markup("functions.get_weather:0", PARIS, CALL_END[:9]),
        calls=(WEATHER,),
    ),
    leaked("section end cut", "sgl-project/sglang#23341", SECTION + ONE + SECTION_END[:11], calls=(WEATHER,)),
    leaked("section begun twice", "vllm-project/vllm#28543", SECTION + SECTION + ONE + SECTION_END, calls=(WEATHER,)),
    leaked(
        "section ended twice", "vllm-project/vllm#28543", SECTION + ONE + SECTION_END + SECTION_END, calls=(WEATHER,)
    ),
    leaked("call begun twice", "vllm-project/vllm#28543", SECTION + CALL + ONE + SECTION_END, calls=(WEATHER,)),
    leaked(
        "call ended twice",
        "vllm-project/vllm#28543",
        SECTION + ONE + CALL_END + TWO + SECTION_END,
        calls=(WEATHER, ROME),
    ),
    leaked("two calls", "NousResearch/hermes-agent#24534", SECTION + ONE + TWO + SECTION_END, calls=(WEATHER, ROME)),
    leaked(
        "two sections",
        "musistudio/claude-code-router#451",
        f"{SECTION}{ONE}{SECTION_END}{SECTION}{TWO}{SECTION_END}",
        calls=(WEATHER, ROME),
    ),
    leaked(
        "two sections, text between",
        "kortix-ai/suna#970",
        f"a{SECTION}{ONE}{SECTION_END}b{SECTION}{TWO}{SECTION_END}c",
        calls=(WEATHER, ROME),
        content="abc",
    ),
    leaked(
        "the same call twice",
        "skalesapp/skales#185",
        SECTION + ONE + ONE + SECTION_END,
        calls=(WEATHER,),
        repairs={"markup": 2},
    ),
    leaked(
        "blanks between markers",
        "NousResearch/hermes-agent#24536",
        f"{SECTION}\n{CALL} functions.get_weather:0 \n{ARGUMENTS} {PARIS} \n{CALL_END}\n{SECTION_END}",
        calls=(WEATHER,),
    ),
    leaked("the turn's end after", "MoonshotAI/Kimi-K2#128", SECTION + ONE + SECTION_END + TURN_END, calls=(WEATHER,)),
    leaked("the turn's end instead", "MoonshotAI/Kimi-K2#128", SECTION + ONE + TURN_END, calls=(WEATHER,)),
    leaked(
        "the call's begin lost",
        "vllm-project/vllm#38579",
        f"{SECTION}functions.get_weather:0{ARGUMENTS}{PARIS}{CALL_END}{SECTION_END}",
        calls=(WEATHER,),
    ),
    leaked(
        "the arguments' begin lost",
        "vllm-project/vllm#38579",
        f"{SECTION}{CALL}functions.get_weather:0{PARIS}{CALL_END}{SECTION_END}",
        calls=(WEATHER,),
    ),
    leaked(
        "no arguments",
        "agno-agi/agno#9229",
        f"{SECTION}{markup('functions.get_time:0', '')}{SECTION_END}",
        calls=(TIME,),
    ),
    leaked(
        "no arguments and no marker of them",
        "sigoden/aichat#1217",
        f"{SECTION}{CALL}functions.get_time:0{CALL_END}{SECTION_END}",
        calls=(TIME,),
    ),
    leaked(
        "no arguments, only the section closed",
        "sigoden/aichat#1217",
        f"{SECTION}{CALL}functions.get_time:0{SECTION_END}",
        calls=(TIME,),
    ),
    leaked(
        "after code that is closed",
        "cline/cline#12980",
        f"`get_weather` helps.\n```\nx\n```\n{ONE}",
        calls=(WEATHER,),
        content="`get_weather` helps.\n```\nx\n```\n",
    ),
    leaked(
        "after a quotation that is closed",
        "cline/cline#12980",
        f'You said "Paris". „Gut“, “good”. {ONE}',
        calls=(WEATHER,),
        content='You said "Paris". „Gut“, “good”. ',
    ),
    leaked(
        "after markers that are quoted",
        "cline/cline#12980",
        f"No `{CALL}` here.\n{ONE}",
        calls=(WEATHER,),
        content=f"No `{CALL}` here.\n",
    ),
]
