"""Pytest fixtures; load them with `pytest_plugins = ["langchain_kimi.testing.fixtures"]`."""

from collections.abc import Iterator

import pytest

from langchain_kimi.testing.emulator import Emulator


@pytest.fixture
def openrouter() -> Iterator[Emulator]:
    """A loopback OpenRouter, started for the test that uses it."""
    with Emulator() as emulator:
        yield emulator
