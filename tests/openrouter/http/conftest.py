from collections.abc import Iterator

import pytest

from tests.openrouter.http.calling import Ask, forget_clients


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Makes calls, sync and async."""
    yield Ask(is_async=request.param == "async")
    forget_clients()
