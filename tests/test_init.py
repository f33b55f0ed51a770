"""The names of the package: some are only imported when they are used."""

from types import ModuleType

import pytest

import langchain_kimi
from tests.interpreters import Interpreter

LAZY = ("Budget", "TokenCount", "track_costs")


def test_the_import_leaves_out_what_few_programs_use(interpreter: Interpreter) -> None:
    program = "import sys, langchain_kimi; print(*(name for name in sys.modules if name.startswith('langchain_kimi')))"
    imported = interpreter.printed(program).split()
    assert "langchain_kimi.chat_models" in imported
    assert not {"langchain_kimi.callbacks", "langchain_kimi._tokens.counting"} & {*imported}


def test_the_import_does_not_import_langchain(interpreter: Interpreter) -> None:
    program = "import sys, langchain_kimi.callbacks; print({'langchain', 'langgraph'} & {*sys.modules})"
    assert interpreter.printed(program) == "set()\n"


def test_a_name_is_imported_when_it_is_used(interpreter: Interpreter) -> None:
    uses = "; ".join(f"print(langchain_kimi.{name}.__name__, {name!r} in vars(langchain_kimi))" for name in LAZY)
    assert interpreter.printed(f"import langchain_kimi; {uses}").splitlines() == [f"{name} True" for name in LAZY]


def test_the_module_of_callbacks_needs_no_import_of_its_own(interpreter: Interpreter) -> None:
    assert interpreter.printed("import langchain_kimi; print(langchain_kimi.callbacks.Budget.__name__)") == "Budget\n"
    assert isinstance(langchain_kimi.__getattr__("callbacks"), ModuleType)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'langchain_kimi' has no attribute 'Chat'"):
        langchain_kimi.__getattr__("Chat")
    assert langchain_kimi.__getattr__("Budget") is langchain_kimi.Budget


def test_the_names_can_be_listed() -> None:
    assert {*LAZY, "ChatKimi"} <= {*dir(langchain_kimi)}
