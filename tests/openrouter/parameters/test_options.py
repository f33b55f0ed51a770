import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from langchain_kimi._openrouter.parameters.options import (
    CacheControl,
    MaxPrice,
    Options,
    Percentiles,
    Prediction,
    ProviderPreferences,
    ProviderSort,
    Reasoning,
    as_dict,
)
from langchain_kimi._openrouter.parameters.plugin import GenericPlugin
from langchain_kimi._openrouter.parameters.plugins import WebPlugin
from langchain_kimi.errors import KimiUsageError

ALL_PREFERENCES: dict[str, Any] = {
    "order": ["moonshotai", "groq"],
    "only": ["moonshotai", "groq", "novita"],
    "ignore": ["chutes"],
    "allow_fallbacks": False,
    "require_parameters": True,
    "data_collection": "deny",
    "zdr": True,
    "enforce_distillable_text": False,
    "quantizations": ["fp8", "bf16"],
    "sort": {"by": "throughput", "partition": "none"},
    "max_price": {"prompt": "0.7", "completion": "3", "image": "1", "audio": "2", "request": "0.1"},
    "preferred_min_throughput": 40.0,
    "preferred_max_latency": {"p50": 1.0, "p75": 2.0, "p90": 4.0, "p99": 9.5},
    "options": {"moonshotai": {"thinking": None}},
}


def refused(build: Callable[[], object]) -> str:
    with pytest.raises(ValidationError) as caught:
        build()
    return str(caught.value)


def test_every_provider_preference_is_sent_unchanged() -> None:
    sent = ProviderPreferences(**ALL_PREFERENCES).to_wire()
    assert sent == ALL_PREFERENCES
    assert list(sent) == list(ProviderPreferences.model_fields)


def test_unset_options_are_not_sent() -> None:
    assert ProviderPreferences().to_wire() == {}
    unset = ProviderPreferences(order=[], sort="", zdr=None, max_price=None, preferred_max_latency=None)
    assert unset.to_wire() == {}
    assert ProviderPreferences(sort=None, max_price={"prompt": None}).to_wire() == {"max_price": {}}


def test_nested_options_are_objects_or_dicts() -> None:
    as_objects = ProviderPreferences(
        sort=ProviderSort(by="throughput", partition="none"),
        max_price=MaxPrice(prompt=0.7),
        preferred_max_latency=Percentiles(p90=4),
    )
    as_dicts = ProviderPreferences(
        sort={"by": "throughput", "partition": "none"}, max_price={"prompt": "0.7"}, preferred_max_latency={"p90": 4}
    )
    assert as_objects == as_dicts
    assert isinstance(as_dicts.max_price, MaxPrice)
    assert isinstance(as_dicts.sort, ProviderSort)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (0.7, "0.7"),
        (0.1 + 0.2, "0.30000000000000004"),
        (3, "3"),
        (1e-7, "0.0000001"),
        (0, "0"),
        ("0.70", "0.70"),
        ("5e-1", "5e-1"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_prices_are_sent_as_strings_with_the_same_digits(value: Any, sent: str) -> None:
    assert MaxPrice(prompt=value).to_wire() == {"prompt": sent}


@pytest.mark.parametrize(
    "price", [True, -1, -0.1, float("nan"), float("inf"), Decimal("NaN"), "", "1,5", " 1", "-1", "NaN", "٣", [1]]
)
def test_a_price_is_a_number_of_at_least_0(price: Any) -> None:
    assert "a number of at least 0" in refused(lambda: MaxPrice(prompt=price))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"alow_fallbacks": True}, "unknown key 'alow_fallbacks' in provider; did you mean 'allow_fallbacks'?"),
        ({"Order": ["x"]}, "unknown key 'Order' in provider; did you mean 'order'?"),
        ({"brand_new": object()}, "'brand_new' in provider must be a JSON value, got a object"),
        ({"allowfallbacks": True}, "did you mean 'allow_fallbacks'?"),
        ({"max_price": {"promt": 1}}, "unknown key 'promt' in max_price; did you mean 'prompt'?"),
        ({"sort": {"buy": "price"}}, "unknown key 'buy' in sort; did you mean 'by'?"),
        ({"order": "moonshotai"}, "must be a list of strings, got 'moonshotai'"),
        ({"order": ["moonshotai", 3]}, "must be a list of strings, got 3 in it"),
        ({"only": [""]}, "must be a list of strings, got '' in it"),
        ({"ignore": {"groq"}}, "must be a list of strings, got a set of 1"),
        ({"allow_fallbacks": 1}, "must be true or false, got 1"),
        ({"zdr": "yes"}, "must be true or false, got 'yes'"),
        ({"data_collection": "none"}, "must be one of allow, deny, got 'none'"),
        ({"data_collection": ""}, "must be one of allow, deny, got ''"),
        ({"quantizations": ["bf61"]}, "got 'bf61'; did you mean 'bf16'?"),
        ({"sort": "prize"}, "must be one of price, throughput, latency, exacto, got 'prize'; did you mean 'price'?"),
        ({"sort": 3}, "must be one of price, throughput, latency, exacto, or a ProviderSort, got 3"),
        ({"max_price": 3}, "must be a MaxPrice or a dict, got 3"),
        ({"preferred_max_latency": True}, "must be a number of at least 0, or Percentiles, got True"),
        ({"preferred_max_latency": "1"}, "must be a number of at least 0, or Percentiles, got '1'"),
        ({"preferred_min_throughput": -1}, "must be a number of at least 0, or Percentiles, got -1"),
        ({"preferred_min_throughput": 10**400}, "or Percentiles, got an integer beyond 64 bits"),
        ({"preferred_min_throughput": {"p50": float("nan")}}, "must be a number of at least 0, got nan"),
    ],
)
def test_invalid_provider_preferences_are_refused(value: dict[str, Any], message: str) -> None:
    assert message in refused(lambda: ProviderPreferences(**value))


NEW_KEYS: list[tuple[type[Options], dict[str, Any]]] = [
    (ProviderPreferences, {"sovereign": True}),
    (ProviderPreferences, {"preferred_max_throughput": 40}),
    (ProviderPreferences, {"only_regions": ["eu"]}),
    (Reasoning, {"budget": {"usd": 1}}),
    (Percentiles, {"p95": 1.5}),
    (MaxPrice, {"prompt_cached": "0.1"}),
    (CacheControl, {"type": "ephemeral", "scope": "session"}),
    (Prediction, {"type": "content", "content": "x", "weight": 0.5}),
    (WebPlugin, {"id": "web", "languages": ["no"]}),
]


@pytest.mark.parametrize(("kind", "value"), NEW_KEYS)
def test_a_new_key_is_sent_unchanged_with_a_warning(kind: type[Options], value: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match="is not a documented key") as warned:
        options = kind.model_validate(value)
    assert [warning.filename for warning in warned] == [__file__]
    assert options.to_wire() == value
    with pytest.warns(UserWarning, match="is not a documented key"):
        twin = kind.model_validate(options.to_wire())
    assert twin == options
    assert hash(twin) == hash(options)


def test_keys_are_strings() -> None:
    assert "keys must be strings" in refused(lambda: ProviderPreferences.model_validate({1: 1}))


def test_a_new_key_of_a_nested_object_is_sent() -> None:
    with pytest.warns(UserWarning, match="'audio_minute' is not a documented key of max_price"):
        options = ProviderPreferences(max_price={"audio_minute": "1"})
    assert options.to_wire() == {"max_price": {"audio_minute": "1"}}


@pytest.mark.parametrize("word", ["int2", "nvfp8", "xprice", "sovereignty"])
def test_new_words_pass(word: str) -> None:
    assert ProviderPreferences(quantizations=[word], sort=word).to_wire() == {"quantizations": [word], "sort": word}


@pytest.mark.parametrize("slip", ["High", "HIGH", "hgih", "hihg", "meduim", "minmal", "noen"])
def test_a_misspelled_option_is_refused(slip: str) -> None:
    assert "did you mean" in refused(lambda: Reasoning(effort=slip))


def test_every_reasoning_option_is_sent_unchanged() -> None:
    value = {"effort": "high", "summary": "auto", "exclude": True, "enabled": True, "context": "auto", "mode": "pro"}
    assert Reasoning(**value).to_wire() == value
    assert Reasoning(max_tokens=2000).to_wire() == {"max_tokens": 2000}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"effort": "low", "max_tokens": 9}, "effort and max_tokens are alternatives"),
        ({"max_tokens": 0}, "must be an integer of at least 1, got 0"),
        ({"max_tokens": 1.0}, "must be an integer of at least 1, got 1.0"),
        ({"max_tokens": True}, "must be an integer of at least 1, got True"),
        ({"effort": 3}, "must be one of max, xhigh, high, medium, low, minimal, none, got 3"),
        ({"efort": "low"}, "unknown key 'efort' in reasoning; did you mean 'effort'?"),
    ],
)
def test_invalid_reasoning_options_are_refused(value: dict[str, Any], message: str) -> None:
    assert message in refused(lambda: Reasoning(**value))


def test_cache_control_and_prediction_have_a_fixed_type() -> None:
    assert CacheControl().to_wire() == {"type": "ephemeral"}
    assert CacheControl(ttl="1h").to_wire() == {"type": "ephemeral", "ttl": "1h"}
    assert Prediction(content="So be it").to_wire() == {"type": "content", "content": "So be it"}
    parts = [{"type": "text", "text": "So be it"}]
    assert Prediction(content=parts).to_wire() == {"type": "content", "content": parts}
    assert "ephemeral" in refused(lambda: CacheControl.model_validate({"type": "eternal"}))
    assert "content" in refused(lambda: Prediction.model_validate({}))


@pytest.mark.parametrize(
    "options",
    [
        ProviderPreferences(**ALL_PREFERENCES),
        Reasoning(effort="low"),
        CacheControl(ttl="5m"),
        Prediction(content=[{"type": "text", "text": "So be it"}]),
        WebPlugin(user_location={"city": "Oslo"}),
        GenericPlugin.model_validate({"id": "new", "keys": {"a": [1]}}),
    ],
    ids=lambda options: type(options).__name__,
)
def test_options_are_values(options: Options) -> None:
    twin = type(options).model_validate(options.to_wire())
    assert twin == options
    assert hash(twin) == hash(options)
    assert pickle.loads(pickle.dumps(options)) == options  # noqa: S301 - our own bytes
    with pytest.raises(ValidationError, match="frozen"):
        options.__setattr__(next(iter(type(options).model_fields)), "other")


def test_different_options_are_different_values() -> None:
    assert ProviderPreferences(order=["a", "b"]) != ProviderPreferences(order=["b", "a"])
    assert len({Reasoning(), Reasoning(effort="low"), CacheControl(), Reasoning(effort="low")}) == 3


def test_repr_shows_the_set_options() -> None:
    assert repr(ProviderPreferences(only=["groq"], zdr=True)) == "ProviderPreferences(only=('groq',), zdr=True)"


def test_an_error_repeats_neither_long_strings_nor_keys() -> None:
    key = "sk-or-v1-secret"
    with pytest.warns(UserWarning, match="a string of 15 characters is not"):
        text = refused(lambda: ProviderPreferences(**{key: 1, "sort": {"by": [key]}, "zdr": key, "only": key * 9}))
    assert "secret" not in text
    text = refused(lambda: ProviderPreferences(sort={"by": [key]}, zdr=key, only=key * 9, order={key: key}))
    assert "secret" not in text
    assert "got a list of 1" in text
    assert "got a string of 15 characters" in text
    assert "got a dict of 1" in text
    assert "got an object" not in refused(lambda: ProviderPreferences(zdr=object()))


def test_options_that_are_not_json_are_refused() -> None:
    options = ProviderPreferences(options={"x": [{"y": object()}]})
    with pytest.raises(KimiUsageError, match="has a value that is not JSON"):
        options.to_wire()


def test_models_of_other_packages_become_dicts() -> None:
    class Other(BaseModel):
        first_one: int = Field(1, alias="firstOne")
        second: int = 2

    assert as_dict(Other(firstOne=3)) == {"firstOne": 3}
    options = Reasoning(effort="low")
    assert as_dict(options) is options
