"""Tests leaked and quoted markup in all four ways to call a model, over a socket."""

from collections.abc import Iterator
from typing import Any

import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.faults.cases import WEATHER
from tests.faults.ways import WAYS, ask, model_of
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
    "a comment": (f"<!-- {ONE} -->\n<p>a</p>", f"<!-- {ONE} -->\n<p>a</p>", []),
    "parentheses": (f"It writes ({ONE}) there.", f"It writes ({ONE}) there.", []),
    "a text about tags": ("The marker <|open|> begins a tag.", "The marker <|open|> begins a tag.", []),
}


@pytest.fixture(scope="module")
def openrouter() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TEXTS)
def test_markup_in_each_way(openrouter: Emulator, name: str, way: str) -> None:
    text, shown, calls = TEXTS[name]
    openrouter.script(Reply(text=text))
    with model_of(openrouter) as model:
        message: Any = ask(model.bind_tools([WEATHER]), way).message
    assert message.text == shown
    assert [(call["name"], call["args"]) for call in message.tool_calls] == calls
