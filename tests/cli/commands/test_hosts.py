import pytest

from tests.cli.conftest import Cli


@pytest.mark.parametrize(("sort", "first"), [("price", "broken"), ("throughput", "expensive"), ("uptime", "steady")])
def test_hosts_are_sorted(cli: Cli, sort: str, first: str) -> None:
    assert cli.json("hosts", "moonshotai/kimi-k2.6", "--sort", sort)[0]["tag"] == first


def test_the_table_lists_the_features_that_a_host_refuses(cli: Cli) -> None:
    [slow] = [line for line in cli("hosts", "moonshotai/kimi-k2.6").splitlines() if line.startswith("slow")]
    assert slow.endswith("structured_outputs, tool_choice required")
