import pytest

import langchain_kimi._tokens
from tests.interpreters import Interpreter


def test_a_program_that_counts_nothing_does_not_import_the_module(interpreter: Interpreter) -> None:
    script = (
        "import sys, langchain_kimi; name = 'langchain_kimi._tokens.model'; print(name in sys.modules);"
        "langchain_kimi._tokens.model; print(name in sys.modules)"
    )

    assert interpreter.printed(script).split() == ["False", "True"]


def test_only_this_module_is_imported_when_used() -> None:
    assert langchain_kimi._tokens.__getattr__("model").__name__ == "langchain_kimi._tokens.model"
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = langchain_kimi._tokens.other
