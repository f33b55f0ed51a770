from langchain_kimi import ChatKimi
from tests.cli.conftest import Cli
from tests.conftest import KEY


def test_the_cost_of_a_call_is_shown(cli: Cli) -> None:
    reply = ChatKimi(api_key=KEY, base_url=cli.emulator.base_url).invoke("Hello.")
    number = reply.response_metadata["id"]
    assert cli.json("generation", number)["total_cost"] == reply.response_metadata["cost"]
    assert "provider_name" in cli("generation", number)


def test_the_advice_on_an_unknown_call_is_not_about_models(cli: Cli) -> None:
    assert cli("generation", "gen-1", "--wait", "0", code=1) == ""
    assert len(cli.emulator.requests) == 1
    assert "Generation gen-1 not found (HTTP 404) Check the id (`gen-...`)." in cli.err
    assert "slug" not in cli.err
