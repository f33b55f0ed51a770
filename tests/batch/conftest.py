from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.testing import Emulator
from tests.batch.driving import Drive, moonshot


@pytest.fixture(params=["sync", "async"])
def drive(request: pytest.FixtureRequest) -> Drive:
    return Drive(is_async=request.param == "async")


@pytest.fixture(params=["openrouter", "moonshot"])
def either(request: pytest.FixtureRequest, openrouter: Emulator, model: ChatKimi) -> Any:
    """Return a model of each of the two batch APIs."""
    return model if request.param == "openrouter" else moonshot(openrouter)
