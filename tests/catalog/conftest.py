import pytest

from tests.catalog.serving import Ask


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return Ask(is_async=request.param == "async")
