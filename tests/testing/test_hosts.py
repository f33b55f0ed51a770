from typing import Any

import pytest
from langchain_core.tools import tool

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiNotFoundError, KimiServerError
from langchain_kimi.testing import SAMPLE_HOSTS, Emulator, Reply
from langchain_kimi.testing.hosts import route
from tests.conftest import KEY

NAMES = {host.tag: host.name for host in SAMPLE_HOSTS}


@tool
def get_weather(city: str) -> str:
    """Return the weather in a city."""
    return city


@pytest.fixture
def habits(openrouter: Emulator) -> Emulator:
    openrouter.behave(hosts=SAMPLE_HOSTS)
    return openrouter


def at(emulator: Emulator, tag: str, **settings: Any) -> ChatKimi:
    provider = {"only": [tag], "allow_fallbacks": False}
    return ChatKimi(api_key=KEY, base_url=emulator.base_url, max_retries=0, provider=provider, **settings)


@pytest.mark.parametrize("tag", ["steady", "leaky", "careless", "slow", "expensive"])
def test_the_named_host_serves(habits: Emulator, tag: str) -> None:
    assert at(habits, tag).invoke("Hello.").response_metadata["provider"] == NAMES[tag]


def test_one_host_leaks(habits: Emulator) -> None:
    for slug in ("moonshotai/kimi-k2.6", "moonshotai/kimi-k3"):
        plain = at(habits, "leaky", repairs="none", model=slug).bind_tools([get_weather])
        message = plain.invoke("What is the weather in Oslo?")
        assert message.tool_calls == []
        assert "<|" in message.text
    assert at(habits, "leaky").bind_tools([get_weather]).invoke("What is the weather in Oslo?").tool_calls


def test_one_host_ignores_schemas(habits: Emulator) -> None:
    model = at(habits, "careless")
    [call] = model.bind_tools([get_weather]).invoke("What is the weather in Oslo?").tool_calls
    assert "city" not in call["args"]
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    assert model.invoke("Hello.", response_format=form).text.startswith("Here is")
    assert model.invoke("Hello.").text


def test_one_host_fails_and_another_takes_over(habits: Emulator) -> None:
    with pytest.raises(KimiServerError) as caught:
        at(habits, "broken").invoke("Hello.")
    assert caught.value.provider == "Broken"
    model = ChatKimi(api_key=KEY, base_url=habits.base_url, provider={"order": ["broken", "expensive"]})
    assert model.invoke("Hello.").response_metadata["provider"] == "Expensive"


def test_one_host_is_expensive(habits: Emulator) -> None:
    costs = {
        tag: at(habits, tag).invoke(f"Hello {tag:>8}.").response_metadata["cost"] for tag in ("steady", "expensive")
    }
    assert costs["expensive"] > 4 * costs["steady"]
    listed = {host.tag: host for host in at(habits, "expensive").catalog().endpoints("moonshotai/kimi-k3").endpoints}
    assert listed["expensive"].pricing.per_million("prompt") == 15.0
    assert "structured_outputs" not in listed["slow"].supported_parameters
    assert listed["slow"].supports_tool_choice is not None
    assert listed["slow"].supports_tool_choice.required is False


def test_a_script_comes_first(habits: Emulator) -> None:
    habits.script(Reply(text="Scripted."))
    assert at(habits, "broken").invoke("Hello.").text == "Scripted."


def test_preferences_that_exclude_all_hosts(habits: Emulator) -> None:
    with pytest.raises(KimiNotFoundError):
        at(habits, "nobody").invoke("Hello.")
    with pytest.raises(Exception, match="No allowed providers"):
        route(SAMPLE_HOSTS, {"provider": {"only": ["nobody"]}})


def test_requests_can_be_spread_over_the_hosts(openrouter: Emulator) -> None:
    openrouter.behave(hosts=SAMPLE_HOSTS[:3], balanced=True)
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)

    def served(**arguments: Any) -> set[str]:
        return {model.invoke("Hello.", **arguments).response_metadata["provider"] for _ in range(12)}

    assert served() == {"Steady", "Leaky", "Careless"}
    assert len(served(session_id="1")) == 1
    assert served(provider={"order": ["leaky"]}) == {"Leaky"}
