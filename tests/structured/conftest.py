"""Fixtures; without `with_json5` a test runs as if the optional extra `json5` were not installed."""

import asyncio
import sys
from collections.abc import Iterator

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.conftest import KEY
from tests.structured.loopback import Wire


@pytest.fixture(autouse=True)
def without_json5(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide `json5`, which most users do not have."""
    if "with_json5" not in request.fixturenames:
        monkeypatch.setitem(sys.modules, "json5", None)


@pytest.fixture
def with_json5() -> None:
    """Leave `json5` importable."""


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    with Emulator() as openrouter, asyncio.Runner() as runner:
        model = ChatKimi(openrouter_api_key=KEY, openrouter_api_base=openrouter.base_url, max_retries=0)
        yield Wire(openrouter, model, runner)
        model.close()
        runner.run(model.aclose())
