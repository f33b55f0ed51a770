"""LangChain's standard integration suite against the emulator, with and without reasoning."""

from typing import Any

import pytest

from langchain_kimi.testing import cassettes
from tests.standard.suite import KimiSuite
from tests.standard.suite_servers import emulator

# The one test that would time a replay finds nothing recorded here, and times nothing.
pytestmark = pytest.mark.filterwarnings("ignore:Benchmark fixture was not used")


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    """Let the test that needs a cassette record its own; every other test uses the emulator."""
    return cassettes.vcr_config("all")


@pytest.fixture(scope="module")
def vcr_cassette_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cassettes"))


class Plain(KimiSuite):
    @property
    def base_url(self) -> str:
        return emulator(reasoning=False).base_url


class Reasoning(KimiSuite):
    @property
    def base_url(self) -> str:
        return emulator(reasoning=True).base_url


class TestPlainJsonSchema(Plain):
    method = "json_schema"


class TestPlainFunctionCalling(Plain):
    method = "function_calling"


class TestReasoningJsonSchema(Reasoning):
    method = "json_schema"


class TestReasoningFunctionCalling(Reasoning):
    method = "function_calling"
