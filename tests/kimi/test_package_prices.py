import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from types import SimpleNamespace as Table
from typing import Any, cast

import pytest

from langchain_kimi._kimi.package_prices import installed, with_prices
from langchain_kimi._kimi.price_rows import ModelRow
from langchain_kimi._kimi.profiles import prices

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
    paid = {"prompt": 0.95, "completion": 4.0, "cache_read": 0.16, "cache_write": None}
    assert row["prices"] == {**paid, "since": "2026-11-03"}
    assert row["highest"] == {"prompt": 0.95, "completion": 4.0}
    assert row["profile"] == {"name": "Kimi"}


def test_a_price_that_depends_on_the_length_of_the_prompt_is_unknown() -> None:
    tiers: Any = Table(base=1, tiers=[])
    paid: Any = Decimal("0.95")
    tables = [
        provider("openrouter", **{K3: price(tiers, 15), K2_6: price(paid, 4, tiers)}),
        provider("aws", **{"kimi-k2.6": price(9, tiers)}),
    ]
    rows = with_prices(models(K3, K2_6), tables, TODAY)
    assert rows[K3]["prices"] == {"prompt": 1.0, "completion": 2.0, "cache_read": None}
    assert rows[K2_6]["prices"]["cache_read"] is None
    assert rows[K2_6]["highest"] == {"prompt": 0.95, "completion": 4.0}


def test_the_most_expensive_host_and_its_cache_writes_are_recorded() -> None:
    tables = [
        provider("openrouter", **{K3: price(3, 15), f"{K3}:batch": price(0.917, 6), K2_6: price(0.95, 4)}),
        provider("moonshotai", **{"kimi-k3": price(3, 15, 0.3, 3), "kimi-k3-other": price(30, 150)}),
        provider("aws", **{"us.moonshotai.kimi-k3": price(3.3, 16.5, 0.33, 4.125)}),
        provider("fireworks", **{"kimi-k2p6": price(1.2, 5), "other": price(1, 1), "kimi-k3": price(None, None)}),
        provider("elsewhere", **{"kimi-k3": price(99, 99)}),
    ]
    rows = with_prices(models(K3, K2_6), tables, TODAY)
    assert rows[K3]["prices"]["cache_write"] == 3
    assert rows[K3]["highest"] == {"prompt": 4.125, "completion": 16.5}
    assert rows[K3]["batch"]["prompt"] == 0.917
    assert rows[K2_6]["highest"] == {"prompt": 1.2, "completion": 5.0}
    assert "batch" not in rows[K2_6]


def test_a_table_without_kimi_is_an_error() -> None:
    future = provider("openrouter", **{K3: [since(date(2030, 1, 1), price(1, 1))]})
    with pytest.raises(LookupError, match="no prices of Kimi models"):
        with_prices(models(K3), [future], TODAY)


def test_a_model_without_a_listing_keeps_its_prices() -> None:
    row = with_prices(models(K3, K2_6), [provider("openrouter", **{K3: price(3, 15)})], TODAY)[K2_6]
    assert (row["prices"]["prompt"], row["highest"]) == (1.0, {"prompt": 1.0, "completion": 2.0})


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("kimi-k3-highspeed", K3),
        ("kimi-k3-us", K3),
        ("kimi-k2p6-fast", K2_6),
        ("kimi-k2-turbo-preview", "moonshotai/kimi-k2-0905"),
        ("kimi-k2-0905-preview", "moonshotai/kimi-k2-0905"),
        ("kimi-k2-instruct", "moonshotai/kimi-k2"),
    ],
)
def test_a_faster_or_regional_endpoint_counts_for_the_highest_price(name: str, slug: str) -> None:
    tables = [provider("openrouter", **{slug: price(1, 2)}), provider("moonshotai", **{name: price(5, 9)})]
    assert with_prices(models(slug), tables, TODAY)[slug]["highest"] == {"prompt": 5.0, "completion": 9.0}


def test_each_row_has_its_source_and_date() -> None:
    tables = [provider("openrouter", **{K3: price(3, 15), f"{K3}:batch": price(1, 6)})]
    row = with_prices(models(K3), tables, TODAY, "genai-prices 9.9")[K3]
    for dated in (row["prices"], row["batch"]):
        assert (dated["source"], dated["date"]) == ("genai-prices 9.9, OpenRouter", "2026-11-27")


def test_without_the_package_there_are_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    assert installed() == ("", {})


def install(monkeypatch: pytest.MonkeyPatch, path: Path, providers: list[Any]) -> None:
    """Install a package `genai-prices` with these tables."""
    module = ModuleType("genai_prices.data_snapshot")
    snapshot = Table(providers=providers)
    vars(module)["get_snapshot"] = lambda: snapshot
    monkeypatch.setitem(sys.modules, "genai_prices", ModuleType("genai_prices"))
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", module)
    (path / "genai_prices-9.9.dist-info").mkdir()
    (path / "genai_prices-9.9.dist-info" / "METADATA").write_text("Name: genai-prices\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(str(path))


def test_the_installed_package_is_before_the_packaged_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, [provider("openrouter", **{K3: price(7, 9), "moonshotai/kimi-k9": price(1, 2)})])
    listed = prices(K3)
    assert listed is not None
    assert (listed.prompt, listed.completion, listed.source) == (7, 9, "genai-prices 9.9, OpenRouter")
    assert date.fromisoformat(listed.date)
    # A model that the packaged file does not have yet.
    newer = prices("moonshotai/kimi-k9")
    assert newer is not None
    assert newer.highest_completion == 2
    assert prices("moonshotai/kimi-k2.6").source != listed.source  # type: ignore[union-attr]  # it is listed
    assert installed()[1] is installed()[1]


def test_a_package_without_kimi_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, tmp_path, [provider("openrouter", other=price(7, 9))])
    assert installed() == ("genai-prices 9.9", {})
    assert prices(K3) is not None
