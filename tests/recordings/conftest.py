"""One replay server for all recordings."""

from collections.abc import Iterator

import pytest

from tests.recordings.replay import ReplayServer, replaying


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayServer]:
    with replaying() as running:
        yield running
