from langchain_kimi.catalog import KeyInfo
from langchain_kimi.cli.commands.key import key_rows
from tests.cli.conftest import Cli


def test_the_limits_are_shown(cli: Cli) -> None:
    assert "remaining        7.5000 USD" in cli("key")
    assert cli.json("key")["limit_remaining"] == 7.5


def test_unknown_values_are_left_out() -> None:
    assert key_rows(KeyInfo(usage=1.0)) == [{"field": "used", "value": "1.0000 USD"}]
