"""An emulator and a client of it for each test."""

from collections.abc import Iterator

import httpx
import pytest

from langchain_kimi.testing import Emulator
from langchain_kimi.testing.fixtures import openrouter
from tests.conftest import KEY

__all__ = ["client", "openrouter"]


@pytest.fixture
def client(openrouter: Emulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=openrouter.base_url, headers={"authorization": f"Bearer {KEY}"}) as client:
        yield client
