"""Checks packages that import one of their modules when it is used."""

from types import ModuleType

import pytest

from tests.interpreters import Interpreter


def assert_imported_when_used(interpreter: Interpreter, package: ModuleType, name: str) -> None:
    """Check that `import langchain_kimi` does not import a module of a package, and that its first use does."""
    module = f"{package.__name__}.{name}"
    script = f"import sys, langchain_kimi; print({module!r} in sys.modules); {module}; print({module!r} in sys.modules)"
    assert interpreter.printed(script).split() == ["False", "True"]
    assert package.__getattr__(name).__name__ == module
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = package.other
