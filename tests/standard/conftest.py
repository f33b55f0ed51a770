"""Fixtures of the standard suites: the cassettes, and emulators that stop at the end of the session."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_recording.plugin import block_network, vcr

from langchain_kimi.testing import cassettes
from tests.standard.suite_servers import close_all

__all__ = ["block_network", "vcr"]
ROOT = Path(__file__).parents[2]


def pytest_recording_configure(config: pytest.Config, vcr: Any) -> None:
    cassettes.register(vcr)


@pytest.fixture(scope="session", autouse=True)
def servers() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture(scope="session")
def recording() -> bool:
    """Return whether cassettes are recorded in this run (`make record`)."""
    return bool(os.environ.get("KIMI_RECORD"))


@pytest.fixture
def vcr_config(*, recording: bool) -> dict[str, Any]:
    # The test of the speed of a stream repeats its request.
    return {**cassettes.vcr_config("all" if recording else "none"), "allow_playback_repeats": True}


@pytest.fixture(scope="module")
def vcr_cassette_dir() -> str:
    return str(ROOT / "cassettes" / "standard")
