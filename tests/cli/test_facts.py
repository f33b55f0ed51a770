import argparse

from langchain_kimi.catalog import Endpoint, Percentiles, Pricing, ToolChoiceSupport
from langchain_kimi.cli.facts import catalog_of, host_row, model_argument, model_of, number, price, refusals


def test_the_options_choose_the_server_and_the_model() -> None:
    parser = argparse.ArgumentParser()
    model_argument(parser)
    options = parser.parse_args([])
    options.base_url = "https://openrouter.example/api/v1"
    assert catalog_of(options).base_url == options.base_url
    assert model_of(options, api_key="key").model_name == "moonshotai/kimi-k2-0905"


def test_numbers_and_prices() -> None:
    assert (price(Pricing.model_validate({"prompt": "0.00000095"}), "prompt"), price(Pricing(), "prompt")) == (
        "0.95",
        "-",
    )
    assert (number(None), number(1234), number(0.5, " s", 1)) == ("-", "1,234", "0.5 s")


def test_a_host_without_details() -> None:
    row = host_row(Endpoint(tag="a", supported_parameters=["tools", "structured_outputs", "reasoning"]))
    assert {value for name, value in row.items() if name != "host"} == {"-"}


def test_a_host_with_details() -> None:
    choices = ToolChoiceSupport(auto=True, required=False, function=True)
    host = Endpoint(
        tag="a",
        supported_parameters=["tools"],
        supports_tool_choice=choices,
        latency_last_30m=Percentiles(p50=1500),
        throughput_last_30m=Percentiles(p50=80),
    )
    assert refusals(host) == ["structured_outputs", "reasoning", "tool_choice required"]
    assert (host_row(host)["first token"], host_row(host)["tokens/s"]) == ("1.5 s", "80")
    assert host_row(Endpoint(latency_last_30m=Percentiles()))["first token"] == "-"
