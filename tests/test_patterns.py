"""Tests of regular expressions that are compiled when they are first used."""

import copy
import re

import pytest

from langchain_kimi._patterns import lazy_any_of, lazy_pattern
from tests.interpreters import Interpreter


def test_the_methods_are_those_of_the_compiled_pattern() -> None:
    word = lazy_pattern(r"k(\w+)", re.IGNORECASE)

    assert word.pattern == r"k(\w+)"
    assert word.findall("Kimi, kin, moon") == ["imi", "in"]
    assert word.sub("-", "Kimi, moon") == "-, moon"
    assert word.flags & re.IGNORECASE
    assert word.groups == 1


def test_bytes_have_patterns_too() -> None:
    event = lazy_pattern(rb"data[:\r\n]").match(b"data: {}")

    assert event is not None
    assert event[0] == b"data:"


def test_a_pattern_can_be_copied() -> None:
    assert copy.deepcopy(lazy_pattern(r"\d")).findall("a1") == ["1"]


def test_a_wrong_pattern_is_an_error_of_its_methods() -> None:
    wrong = lazy_pattern("(")

    with pytest.raises(re.error, match="missing"):
        wrong.match("")


def test_each_alternative_matches_in_capital_and_small_letters() -> None:
    fruit = lazy_any_of("apples?", "plum|cherry")

    assert fruit.findall("An Apple, a PLUM and cherry pie") == ["Apple", "PLUM", "cherry"]
    assert lazy_any_of("apple", "plum", flags=0).findall("Apple, plum") == ["plum"]


def test_the_import_compiles_few_patterns(interpreter: Interpreter) -> None:
    script = (
        "import langchain_core.language_models.chat_models, re._compiler as compiler\n"
        "compile, compiled = compiler.compile, []\n"
        "compiler.compile = lambda *arguments: compiled.append(arguments) or compile(*arguments)\n"
        "import langchain_kimi\n"
        "print(len(compiled))"
    )

    # 8 with langchain-core 1.7.2, of these 3 by the standard library; 95 before.
    assert int(interpreter.printed(script)) < 20
