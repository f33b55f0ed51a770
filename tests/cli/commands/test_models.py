from tests.cli.conftest import Cli


def test_models_have_prices_and_limits(cli: Cli) -> None:
    lines = cli("models", "--kimi").splitlines()
    assert lines[0].split()[:3] == ["model", "$/M", "in"]
    assert [line.split()[1] for line in lines if line.startswith("moonshotai/kimi-k3 ")] == ["3"]


def test_models_can_be_searched(cli: Cli) -> None:
    assert [model["id"] for model in cli.json("models", "--search", "kimi-k2.")] == [
        "moonshotai/kimi-k2.5",
        "moonshotai/kimi-k2.6",
    ]
