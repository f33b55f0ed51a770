"""LangChain's standard integration suite from cassettes, without a network."""

import os

import pytest
import pytest_socket

from langchain_kimi._openrouter.http.connection import BASE_URL
from tests.conftest import KEY
from tests.standard.suite import KimiSuite
from tests.standard.suite_servers import emulator

pytestmark = [pytest.mark.vcr, pytest.mark.long]


@pytest.fixture(autouse=True)
def closed_network(*, recording: bool) -> None:
    if not recording:
        pytest_socket.disable_socket(allow_unix_socket=True)


class Recorded(KimiSuite):
    @property
    def base_url(self) -> str:
        return emulator(reasoning=False).base_url if os.environ.get("KIMI_RECORD") == "emulator" else BASE_URL

    @property
    def api_key(self) -> str:
        return os.environ.get("KIMI_LIVE_KEY", KEY)


class TestJsonSchema(Recorded):
    method = "json_schema"


class TestFunctionCalling(Recorded):
    method = "function_calling"
