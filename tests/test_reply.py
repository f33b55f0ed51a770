import langchain_kimi._reply
from tests.interpreters import Interpreter
from tests.lazy_modules import assert_imported_when_used


def test_a_program_that_reads_no_events_does_not_import_the_module(interpreter: Interpreter) -> None:
    assert_imported_when_used(interpreter, langchain_kimi._reply, "events")


def test_a_program_that_reads_no_tool_calls_does_not_import_their_repairs(interpreter: Interpreter) -> None:
    script = "import sys, langchain_kimi; print('langchain_kimi._kimi.call_repairs' in sys.modules)"

    assert interpreter.printed(script).split() == ["False"]
