from decimal import Decimal

import pytest
from pydantic import ValidationError

from langchain_kimi.catalog import Credits, Endpoint, ListedModel, Pricing, results


def test_prices_are_exact_and_have_a_unit() -> None:
    pricing = Pricing.model_validate({"prompt": "0.00000095", "completion": "0.000004"})
    assert pricing.prompt == Decimal("0.00000095")
    assert (pricing.per_million("prompt"), pricing.per_million("completion")) == (0.95, 4.0)
    assert pricing.per_million("input_cache_read") is None


def test_unknown_fields_and_values_are_kept() -> None:
    row = {"id": "a/b", "reasoning": {"default_effort": "colossal"}, "pricing": {"smell": "1"}, "color": {"deep": [1]}}
    model = ListedModel.model_validate(row)
    assert model.model_dump(exclude_unset=True) == row


def test_a_host_names_the_parameters_that_it_lacks() -> None:
    host = Endpoint(supported_parameters=["tools", "seed"])
    assert host.lacks(["tools", "structured_outputs"]) == ["structured_outputs"]


def test_remaining_credits() -> None:
    assert Credits(total_credits=10, total_usage=2.5).remaining == 7.5


@pytest.mark.parametrize("name", ["latency_last_30m", "throughput_last_30m", "uptime_last_1d"])
def test_measured_fields_say_their_unit(name: str) -> None:
    description = Endpoint.model_fields[name].description or ""
    assert any(unit in description for unit in ("Milliseconds", "Tokens per second", "Percent"))
    assert results.Endpoint is Endpoint


@pytest.mark.parametrize("price", ["1e999999", "NaN", "-Infinity", 1e300])
def test_an_implausible_price_is_not_listed(price: object) -> None:
    pricing = Pricing.model_validate({"prompt": price, "completion": "0.000004"})
    assert (pricing.per_million("prompt"), pricing.per_million("completion")) == (None, 4.0)


def test_a_price_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Pricing.model_validate({"prompt": "free"})
