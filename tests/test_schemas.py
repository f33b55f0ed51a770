import langchain_kimi._schemas
from tests.interpreters import Interpreter
from tests.lazy_modules import assert_imported_when_used


def test_a_program_that_has_no_tools_does_not_import_the_module(interpreter: Interpreter) -> None:
    assert_imported_when_used(interpreter, langchain_kimi._schemas, "tools")
