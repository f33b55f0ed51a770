"""Checks packages that import one of their modules when it is used."""

import subprocess
import sys
from types import ModuleType

import pytest


def assert_imported_when_used(package: ModuleType, name: str) -> None:
    """Check that `import langchain_kimi` does not import a module of a package, and that its first use does."""
    module = f"{package.__name__}.{name}"
    script = f"import sys, langchain_kimi; print({module!r} in sys.modules); {module}; print({module!r} in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).split() == ["False", "True"]
    assert package.__getattr__(name).__name__ == module
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        _ = package.other
