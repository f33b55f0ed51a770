"""News of OpenRouter's SDK and of the tables of prices are found."""

from types import SimpleNamespace
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from scripts import whats_new


class Web(BaseModel):
    id: Literal["web"]
    depth: int = 1


class Telepathy(BaseModel):
    id: Literal["telepathy"]


class ChatRequest(BaseModel):
    model: str
    temperature: float
    brand_new: int
    renamed: int = Field(alias="on_the_wire")
    plugins: list[Web | Telepathy] | None = None


def components(**changes: Any) -> Any:
    kinds = {name: create_model(name) for name in whats_new.OPTIONS}
    return SimpleNamespace(**{"ChatRequest": ChatRequest, **kinds, **changes})


def test_new_parameters_options_and_plugins_are_news() -> None:
    provider = create_model("ProviderPreferences", only=(list[str], ...), distance=(float, ...))
    assert list(whats_new.new_in_schema(components(ProviderPreferences=provider))) == [
        "parameter brand_new",
        "parameter on_the_wire",
        "option distance of ProviderPreferences",
        "plugin telepathy",
        "option depth of the plugin web",
    ]


def test_a_class_that_the_sdk_renamed_is_news() -> None:
    kinds = components()
    del kinds.MaxPrice
    assert "the SDK has no MaxPrice any more" in list(whats_new.new_in_schema(kinds))


def test_the_installed_sdk_has_no_news() -> None:
    sdk = pytest.importorskip("openrouter").components
    assert list(whats_new.new_in_schema(sdk)) == []
    assert "temperature" not in whats_new.only_here(sdk)


def test_unlisted_kimi_models_are_news() -> None:
    slugs = ["moonshotai/kimi-k9", "moonshotai/kimi-k9:free", "moonshotai/kimi-k2.6", "moonshotai/moonlight"]
    assert list(whats_new.new_models(slugs, {"moonshotai/kimi-k2.6": {}})) == ["model moonshotai/kimi-k9"]


def test_other_prices_are_news() -> None:
    before = {"a": {"prices": {"prompt": 0.6, "completion": 2.5, "cache_read": None}}}
    after = {"a": {"prices": {"prompt": 0.6, "completion": 3.0, "cache_read": None, "date": "2026-11-27"}}}
    assert list(whats_new.new_prices(before, after)) == ["a: completion costs 3.0, not 2.5"]
