import datetime as dt
import json
from importlib.resources import files
from typing import Any, cast, get_type_hints

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.language_models.model_profile import ModelProfile

from langchain_kimi._kimi import profiles
from langchain_kimi._kimi.families import base_slug, family
from langchain_kimi._kimi.profiles import prices, profile, slugs_accepting
from langchain_kimi._openrouter.wire import JSONObject

DATA = json.loads(files("langchain_kimi._kimi").joinpath("profiles.json").read_text(encoding="utf-8"))
SLUGS = sorted(DATA["models"])

NEWER_THAN_THE_FLOOR = {"mid_conversation_system_messages", "mid_conversation_tools"}
"""Keys that the oldest supported langchain-core would warn of."""


def profile_of(slug: str) -> JSONObject:
    listed = profile(slug)
    assert listed is not None
    return listed


@pytest.mark.parametrize("slug", [*SLUGS, *DATA["aliases"]])
def test_langchain_accepts_a_profile_without_a_warning(slug: str) -> None:
    assert set(profile_of(slug)) <= set(get_type_hints(ModelProfile)) - NEWER_THAN_THE_FLOOR
    model = FakeListChatModel(responses=["Hello"], profile=cast("ModelProfile", profile_of(slug)))
    assert model.profile == profile_of(slug)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_profile_has_the_types_that_langchain_declares(slug: str) -> None:
    for key, kind in get_type_hints(ModelProfile).items():
        if key in profile_of(slug):
            assert isinstance(profile_of(slug)[key], getattr(kind, "__origin__", kind)), key
    dt.date.fromisoformat(profile_of(slug)["release_date"])
    dt.date.fromisoformat(profile_of(slug)["last_updated"])


@pytest.mark.parametrize("slug", SLUGS)
def test_a_profile_agrees_with_its_family(slug: str) -> None:
    kimi = family(slug)
    assert kimi is not None
    assert profile_of(slug)["reasoning_output"] is (kimi.thinking != "never")
    for modality in ("text", "image", "video", "audio"):
        assert not profile_of(slug)[f"{modality}_inputs"] or modality in kimi.modalities


@pytest.mark.parametrize(
    ("slug", "context", "sees", "thinks", "structured"),
    [
        ("moonshotai/kimi-k2", 131_072, False, False, False),
        ("moonshotai/kimi-k2-0905", 262_144, False, False, True),
        ("moonshotai/kimi-k2-thinking", 262_144, False, True, True),
        ("moonshotai/kimi-k2.5", 262_144, True, True, True),
        ("moonshotai/kimi-k2.6", 262_144, True, True, True),
        ("moonshotai/kimi-k2.7-code", 262_144, True, True, True),
        ("moonshotai/kimi-k3", 1_048_576, True, True, True),
        ("moonshotai/kimi-k3.1-pro", 1_048_576, True, True, True),
    ],
)
def test_every_kimi_on_openrouter_has_a_profile(
    slug: str, context: int, *, sees: bool, thinks: bool, structured: bool
) -> None:
    listed = profile_of(slug)
    assert (listed["max_input_tokens"], listed["image_inputs"]) == (context, sees)
    assert (listed["reasoning_output"], listed["structured_output"]) == (thinks, structured)
    assert listed["max_output_tokens"] <= context
    assert listed["tool_calling"]


@pytest.mark.parametrize(
    ("slug", "base"),
    [
        ("~moonshotai/kimi-latest", "moonshotai/kimi-k3"),
        ("~moonshotai/kimi-latest:nitro", "moonshotai/kimi-k3"),
        ("moonshotai/kimi-k2:free", "moonshotai/kimi-k2"),
        ("moonshotai/kimi-k2-0905:exacto", "moonshotai/kimi-k2-0905"),
        ("moonshotai/kimi-k2.5-0127", "moonshotai/kimi-k2.5"),
        ("moonshotai/kimi-k2.6-20260420:floor", "moonshotai/kimi-k2.6"),
        ("moonshotai/kimi-k2-thinking-20251106", "moonshotai/kimi-k2-thinking"),
        ("moonshotai/kimi-k3@preset/x", "moonshotai/kimi-k3"),
    ],
)
def test_variants_have_the_profile_of_their_model(slug: str, base: str) -> None:
    assert profile_of(slug) == profile_of(base)


@pytest.mark.parametrize(
    "slug",
    ["", "@preset/x", "openai/gpt-4o", "moonshotai/kimi-dev-72b", "moonshotai/kimi-k4", "moonshotai/Kimi-K2-Instruct"],
)
def test_an_unknown_slug_has_neither_profile_nor_prices(slug: str) -> None:
    assert profile(slug) is None
    assert prices(slug) is None


def test_a_profile_is_a_copy() -> None:
    listed = profile_of("moonshotai/kimi-k3")
    listed["name"] = "mine"
    listed["reasoning_effort_levels"].append("mine")
    assert profile_of("moonshotai/kimi-k3")["name"] == "Kimi K3"
    assert "mine" not in profile_of("moonshotai/kimi-k3")["reasoning_effort_levels"]


@pytest.mark.parametrize("slug", SLUGS)
def test_prices_have_a_source_and_a_date(slug: str) -> None:
    listed = prices(slug)
    assert listed is not None
    assert 0.05 < listed.prompt < listed.completion < 50
    assert listed.cache_read is None or 0 < listed.cache_read < listed.prompt
    assert listed.source == DATA["models"][slug]["prices"]["source"]
    assert dt.date.fromisoformat(listed.date)


def test_the_free_variant_costs_nothing() -> None:
    listed = prices("moonshotai/kimi-k2:free:online")
    assert listed is not None
    assert (listed.prompt, listed.completion, listed.cache_read) == (0, 0, 0)


def test_the_alias_has_the_prices_of_its_target() -> None:
    assert prices("~moonshotai/kimi-latest") == prices("moonshotai/kimi-k3")


def test_models_are_listed_by_modality() -> None:
    assert slugs_accepting("video") == ["moonshotai/kimi-k3", "moonshotai/kimi-k3.1-pro"]
    assert slugs_accepting("audio") == []
    assert "moonshotai/kimi-k2.6" in slugs_accepting("image")


def test_the_data_has_base_slugs() -> None:
    assert [base_slug(slug) for slug in SLUGS] == SLUGS
    assert set(DATA["aliases"].values()) <= set(SLUGS)


def test_the_most_expensive_host_costs_at_least_as_much_as_the_list() -> None:
    for slug in SLUGS:
        listed = prices(slug)
        assert listed is not None
        assert listed.highest_prompt >= max(listed.prompt, listed.cache_write or 0)
        assert listed.highest_completion >= listed.completion


def test_prices_of_november_2026() -> None:
    rows = {name: prices(f"moonshotai/kimi-{name}") for name in ("k2.6", "k3", "k3:batch", "k3.1-pro", "k2.6:batch")}
    listed = {name: row and (row.prompt, row.completion, row.cache_read) for name, row in rows.items()}
    assert listed == {
        "k2.6": (0.95, 4.0, 0.16),
        "k3": (3.0, 15.0, 0.3),
        "k3:batch": (0.917, 6.0, 0.226),
        "k3.1-pro": (2.0, 10.0, 0.2),
        # Its price is not listed, so it counts with that of the model itself.
        "k2.6:batch": (0.95, 4.0, 0.16),
    }


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ({"only": ["moonshotai"]}, (0.95, 4)),
        ({"only": ["Moonshot AI", "novita/fp8"]}, (0.95, 4)),
        ({"only": ["novita"]}, (0.8, 3.4)),
        ({"only": ["novita", "fireworks"], "ignore": ["fireworks"]}, (0.8, 3.4)),
        ({"order": ["novita"], "allow_fallbacks": False}, (0.8, 3.4)),
        ({"order": ["fireworks", "novita"], "only": ["novita"], "allow_fallbacks": False}, (0.8, 3.4)),
        ({"order": ["novita"]}, (2, 8)),
        ({"only": ["novita"], "ignore": ["novita"]}, (2, 8)),
        ({"only": ["novita", "a host without known prices"]}, (2, 8)),
        ({"only": ["fireworks"], "max_price": {"prompt": "1", "completion": 3}}, (1, 3)),
        ({}, (2, 8)),
    ],
)
def test_chosen_hosts_limit_the_highest_price(provider: dict[str, Any], expected: tuple[float, float]) -> None:
    listed = prices("moonshotai/kimi-k2.6", provider)
    assert listed is not None
    assert (listed.highest_prompt, listed.highest_completion) == expected


def test_the_file_of_the_package_is_read_once() -> None:
    profiles._packaged.cache_clear()
    assert [profile_of(slug)["name"] for slug in SLUGS] == [DATA["models"][slug]["profile"]["name"] for slug in SLUGS]
    assert profiles._packaged.cache_info().misses == 1
