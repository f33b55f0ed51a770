import langchain_kimi._request
from tests.interpreters import Interpreter
from tests.lazy_modules import assert_imported_when_used


def test_a_program_whose_messages_are_texts_does_not_import_the_modules(interpreter: Interpreter) -> None:
    for name in ("assistant", "content"):
        assert_imported_when_used(interpreter, langchain_kimi._request, name)
