"""Tests leaked and quoted markup in all four ways to call a model, over a socket."""

from typing import Any

import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.chat.asking import reply
from tests.faults.cases import WEATHER
from tests.faults.ways import WAYS, ask, model_of, streams
from tests.kimi.corpus.calls import ONE
from tests.kimi.corpus.cases import CALL_END, SECTION, SECTION_END
from tests.kimi.corpus.tags import ONE as TAGGED
from tests.kimi.corpus.tags import closed, section

CALL = [("get_weather", {"city": "Paris"})]
TEXTS: dict[str, tuple[str, str, list[Any]]] = {
    "K3's markup": ("I look." + section(TAGGED), "I look.", CALL),
    "a stray tag": ("Hello" + closed("message"), "Hello", []),
    "words before the first call": (f"{SECTION}\nI look:\n{ONE}{SECTION_END}", "\nI look:\n", CALL),
    "ends after cut arguments": (f'yyy"]}}]}}{CALL_END}{SECTION_END}', 'yyy"]}]}', []),
    "ends after long cut arguments": (f'{"y" * 8192}"]}}]}}{CALL_END}{SECTION_END}', "y" * 8192 + '"]}]}', []),
    "words after tools": (section("I look:" + TAGGED), "I look:", CALL),
    "a comment": (f"<!-- {ONE} -->\n<p>a</p>", f"<!-- {ONE} -->\n<p>a</p>", []),
    "parentheses": (f"It writes ({ONE}) there.", f"It writes ({ONE}) there.", []),
    "a LaTeX comment": (f"\\foo{{a}} % {ONE}\nText", f"\\foo{{a}} % {ONE}\nText", []),
    "square brackets": (f"It writes [{ONE}] there.", f"It writes [{ONE}] there.", []),
    "braces": (f"\\texttt{{{ONE}}} is a call.", f"\\texttt{{{ONE}}} is a call.", []),
    "a percent sign before a call": (f"Rain is at 100 % {ONE}", "Rain is at 100 % ", CALL),
    "the end of a turn": ("Hello.<|im_end|>", "Hello.", []),
    "the end of a turn in the text": ("Hello.<|im_end|>Bye.", "Hello.Bye.", []),
    "another turn after the end": ("Hello.<|im_end|><|im_user|>user<|im_middle|>And?<|im_end|>", "Hello.", []),
    "a call, its result and another call": (
        f"{ONE}<|im_end|><|im_system|>tool<|im_middle|>Sun<|im_end|>" + ONE.replace("Paris", "Rome"),
        "",
        CALL,
    ),
    "the end of a document": ("Hello.<|im_end|>[EOS]", "Hello.", []),
    "the end of a turn in an open code block": ("```\ncode<|im_end|>", "```\ncode", []),
    "a text about the end of a turn": ("The token <|im_end|> ends it.", "The token <|im_end|> ends it.", []),
    "a closing tag without its end": (
        section(TAGGED[: TAGGED.index("<|close|>")] + "<|close|>argument" + closed("call")),
        "",
        CALL,
    ),
    "white space between tags": (section(f"\n\n\t{TAGGED}\r\n "), "", CALL),
    "a text about tags": ("The marker <|open|> begins a tag.", "The marker <|open|> begins a tag.", []),
}

THOUGHTS: dict[str, tuple[str, str, str]] = {
    "a block": ("<think>\na\n</think>\n\nHello", "a", "Hello"),
    "nested blocks": ("<think>a <think>b</think> c</think>Hello", "a <think>b</think> c", "Hello"),
    "two opening tags": ("<think><think>a</think>Hello", "a", "Hello"),
    "two closing tags": ("a</think></think>Hello", "a", "Hello"),
    "two blocks": ("<think>a</think>\n<think>b</think>\nHello", "a\nb", "Hello"),
    "a block in the answer": ("<think>a</think>Hello<think>b</think>Bye", "a\nb", "HelloBye"),
    "a channel that the prompt opened": (
        f"Hm.{closed('think')}<|open|>response<|sep|>Hello{closed('response')}{closed('message')}",
        "Hm.",
        "Hello",
    ),
    "a channel that the prompt opened, whose closing tag is damaged": (
        f"Hm.<|close|>think<|open|>response<|sep|>Hello{closed('response')}{closed('message')}",
        "Hm.",
        "Hello",
    ),
    "a block that is named": ("<think>...</think> tags hold thoughts.", "", "<think>...</think> tags hold thoughts."),
}


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", THOUGHTS)
def test_thoughts_in_each_way(openrouter: Emulator, name: str, way: str) -> None:
    text, thoughts, shown = THOUGHTS[name]
    openrouter.script(reply("stream" if streams(way) else "invoke", {"content": text}))
    with model_of(openrouter, model="moonshotai/kimi-k2.6") as model:
        message: Any = ask(model, way).message
    assert (message.text, message.additional_kwargs.get("reasoning_content", "")) == (shown, thoughts)


ROME = ONE.replace("Paris", "Rome")
WRAPPED: dict[str, tuple[str, bool]] = {
    "K2's markup": (f"{SECTION}{ONE}{SECTION_END}", True),
    "K2's call alone": (ONE, True),
    "K3's markup": (section(TAGGED), True),
    "several calls": (f"{SECTION}{ONE}{ROME}{SECTION_END}", False),
    "several calls of K3": (section(TAGGED + TAGGED.replace("Paris", "Rome")), False),
    "another tool": (f"{SECTION}{ONE.replace('get_weather', 'launch')}{SECTION_END}", False),
    "another tool of K3": (section(TAGGED.replace("get_weather", "launch")), False),
    "blanks that JSON does not allow": ('\u00a0\ufeff{"city": "Paris"}', True),
    "cut": (ONE[:-40], False),
    "cut, of K3": (section(TAGGED)[:-70], False),
}
"""The arguments of a structured call, and whether they are one whole call of the same tool."""


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TEXTS)
def test_markup_in_each_way(openrouter: Emulator, name: str, way: str) -> None:
    text, shown, calls = TEXTS[name]
    openrouter.script(Reply(text=text))
    with model_of(openrouter) as model:
        message: Any = ask(model.bind_tools([WEATHER]), way).message
    assert message.text == shown
    assert [(call["name"], call["args"]) for call in message.tool_calls] == calls


@pytest.mark.uncovered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", WRAPPED)
def test_markup_in_the_arguments_in_each_way(openrouter: Emulator, name: str, way: str) -> None:
    arguments, is_whole = WRAPPED[name]
    function = {"name": "get_weather", "arguments": arguments}
    calls = [{"index": 0, "id": "a:0", "type": "function", "function": function}]
    openrouter.script(reply("stream" if streams(way) else "invoke", {"tool_calls": calls}, "tool_calls"))
    with model_of(openrouter) as model:
        message: Any = ask(model.bind_tools([WEATHER]), way).message
    assert [(call["name"], call["args"]) for call in message.tool_calls] == (CALL if is_whole else [])
    assert [call["args"] for call in message.invalid_tool_calls] == ([] if is_whole else [arguments])
