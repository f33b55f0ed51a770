"""What the tests of messages share: they see the package without its optional extra `json5`, unless they ask for it."""

import sys

import pytest


@pytest.fixture(autouse=True)
def without_json5(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide `json5`, which most users do not have."""
    if "with_json5" not in request.fixturenames:
        monkeypatch.setitem(sys.modules, "json5", None)


@pytest.fixture
def with_json5() -> None:
    """Ask for `json5`."""
