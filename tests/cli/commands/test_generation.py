from langchain_kimi import ChatKimi
from tests.cli.conftest import Cli
from tests.conftest import KEY


def test_the_cost_of_a_call_is_shown(cli: Cli) -> None:
    reply = ChatKimi(api_key=KEY, base_url=cli.emulator.base_url).invoke("Hello.")
    number = reply.response_metadata["id"]
    assert cli.json("generation", number)["total_cost"] == reply.response_metadata["cost"]
    assert "provider_name" in cli("generation", number)
