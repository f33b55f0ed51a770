"""An emulator and a client of it for each test."""

from collections.abc import Iterator

import httpx
import pytest

from langchain_kimi.testing import Emulator
from langchain_kimi.testing.fixtures import openrouter
from tests.conftest import KEY
from tests.plain_http import NO_TLS

__all__ = ["client", "openrouter"]


@pytest.fixture
def client(openrouter: Emulator) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=openrouter.base_url, headers=headers, verify=NO_TLS) as client:
        yield client
