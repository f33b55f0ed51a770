"""An emulator and a client of it for each test."""

import ssl
from collections.abc import Iterator

import httpx
import pytest

from langchain_kimi.testing import Emulator
from langchain_kimi.testing.fixtures import openrouter
from tests.conftest import KEY

# Loading the certificates for each client would take longer than most of the tests.
CERTIFICATES = ssl.create_default_context()

__all__ = ["client", "openrouter"]


@pytest.fixture
def client(openrouter: Emulator) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=openrouter.base_url, headers=headers, verify=CERTIFICATES) as client:
        yield client
