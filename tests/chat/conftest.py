"""One emulator for all tests of a file, with nothing in its script when a test begins."""

from collections.abc import Iterator

import pytest

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.testing import Behaviour, Emulator
from tests.conftest import KEY


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def openrouter(server: Emulator) -> Emulator:
    server.clear()
    server.behaviour = Behaviour()
    return server


@pytest.fixture
def model(openrouter: Emulator) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
