"""Every switch of LangChain's standard suite is on in one of the suites here, or the reason why not is written down."""

from typing import Any

from langchain_tests.integration_tests import ChatModelIntegrationTests

from tests.standard.suite import KimiSuite
from tests.standard.test_seeing import Seeing

OFF = {
    "supports_audio_inputs": "no Kimi takes audio",
    "supports_video_inputs": "the suite has no test for it",
}
DETAILS_OFF = {
    "audio_input": "no Kimi takes audio",
    "audio_output": "no Kimi answers with audio",
    "cache_creation_input": "Kimi's providers report no tokens that were written to the cache",
}
SWITCHES = ("supports_", "has_", "returns_", "enable_")


def test_every_switch_is_on_or_explained() -> None:
    suites: list[Any] = [KimiSuite(), Seeing()]
    names = {
        name for kind in ChatModelIntegrationTests.__mro__ for name, one in vars(kind).items() if _is_switch(name, one)
    }
    off = {name for name in names if not any(getattr(suite, name) for suite in suites)}
    assert off == OFF.keys()
    details = KimiSuite().supported_usage_metadata_details
    assert set(details["invoke"]) == set(details["stream"]) == {"reasoning_output", "cache_read_input"}
    assert DETAILS_OFF.keys().isdisjoint(details["invoke"])


def _is_switch(name: str, one: object) -> bool:
    return isinstance(one, property) and name.startswith(SWITCHES)
