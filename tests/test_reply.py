import subprocess
import sys

import pytest

import langchain_kimi._reply


def test_a_program_that_reads_no_events_and_no_calls_does_not_import_their_modules() -> None:
    script = (
        "import sys, langchain_kimi; names = 'langchain_kimi._reply.events', 'langchain_kimi._kimi.call_repairs';"
        "print(*(name in sys.modules for name in names)); langchain_kimi._reply.events; print(names[0] in sys.modules)"
    )

    assert subprocess.check_output([sys.executable, "-c", script], text=True).split() == ["False", "False", "True"]


def test_only_this_module_is_imported_when_used() -> None:
    assert langchain_kimi._reply.__getattr__("events").__name__ == "langchain_kimi._reply.events"
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = langchain_kimi._reply.other
