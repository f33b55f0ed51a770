from datetime import date
from types import SimpleNamespace as Table
from typing import Any, cast

import pytest

from langchain_kimi._kimi.profiles import ModelRow
from scripts.package_prices import with_prices

K3, K2_6 = "moonshotai/kimi-k3", "moonshotai/kimi-k2.6"
TODAY = date(2026, 11, 27)


def price(prompt: float | None, completion: float | None, read: float | None = None, write: float | None = None) -> Any:
    return Table(input_mtok=prompt, output_mtok=completion, cache_read_mtok=read, cache_write_mtok=write)


def since(start: date | None, prices: Any) -> Any:
    return Table(constraint=start and Table(start_date=start), prices=prices)


def provider(name: str, **models: Any) -> Any:
    return Table(id=name, models=[Table(id=slug, prices=prices) for slug, prices in models.items()])


def models(*slugs: str) -> dict[str, ModelRow]:
    row = {"profile": {"name": "Kimi"}, "prices": {"prompt": 1.0, "completion": 2.0, "cache_read": None}}
    return {slug: cast("ModelRow", row) for slug in slugs}


def test_the_price_of_the_day_is_taken() -> None:
    history = [
        since(None, price(0.68, 3.41)),
        since(date(2026, 11, 3), price(0.95, 4, 0.16)),
        since(date(2026, 12, 1), price(9, 9)),
    ]
    row = with_prices(models(K2_6), [provider("openrouter", **{K2_6: history})], TODAY)[K2_6]
    assert row["prices"] == {"prompt": 0.95, "completion": 4.0, "cache_read": 0.16, "cache_write": None}
    assert row["dearest"] == {"prompt": 0.95, "completion": 4.0}
    assert row["profile"] == {"name": "Kimi"}


def test_the_dearest_host_and_its_cache_writes_are_recorded() -> None:
    tables = [
        provider("openrouter", **{K3: price(3, 15), f"{K3}:batch": price(0.917, 6), K2_6: price(0.95, 4)}),
        provider("moonshotai", **{"kimi-k3": price(3, 15, 0.3, 3), "kimi-k3-highspeed": price(30, 150)}),
        provider("aws", **{"us.moonshotai.kimi-k3": price(3.3, 16.5, 0.33, 4.125)}),
        provider("fireworks", **{"kimi-k2p6": price(1.2, 5), "other": price(1, 1), "kimi-k3": price(None, None)}),
        provider("elsewhere", **{"kimi-k3": price(99, 99)}),
    ]
    rows = with_prices(models(K3, K2_6), tables, TODAY)
    assert rows[K3]["prices"]["cache_write"] == 3
    assert rows[K3]["dearest"] == {"prompt": 4.125, "completion": 16.5}
    assert rows[K3]["batch"]["prompt"] == 0.917
    assert rows[K2_6]["dearest"] == {"prompt": 1.2, "completion": 5.0}
    assert "batch" not in rows[K2_6]


def test_a_table_without_kimi_is_an_error() -> None:
    future = provider("openrouter", **{K3: [since(date(2030, 1, 1), price(1, 1))]})
    with pytest.raises(LookupError, match="no prices of Kimi models"):
        with_prices(models(K3), [future], TODAY)


def test_a_model_without_a_listing_keeps_its_prices() -> None:
    row = with_prices(models(K3, K2_6), [provider("openrouter", **{K3: price(3, 15)})], TODAY)[K2_6]
    assert (row["prices"]["prompt"], row["dearest"]) == (1.0, {"prompt": 1.0, "completion": 2.0})
