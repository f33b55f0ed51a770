import dataclasses

import pytest

from langchain_kimi._kimi.families import base_slug, family, is_kimi, names_preset

TEXT = {"text"}
SEES = {"text", "image", "video"}
EVERYTHING = {"text", "image", "video", "audio"}

FAMILIES = {
    # K2: text, no thinking
    "moonshotai/kimi-k2": ("kimi-k2", (2, 0), "never", True, TEXT),
    "moonshotai/kimi-k2:free": ("kimi-k2", (2, 0), "never", True, TEXT),
    "moonshotai/kimi-k2-0905": ("kimi-k2", (2, 0), "never", True, TEXT),
    "moonshotai/kimi-k2-0905:exacto": ("kimi-k2", (2, 0), "never", True, TEXT),
    "moonshotai/kimi-k2-0905:free:online": ("kimi-k2", (2, 0), "never", True, TEXT),
    "moonshotai/kimi-k2-0905@preset/careful": ("kimi-k2", (2, 0), "never", True, TEXT),
    "moonshotai/kimi-k2-instruct": ("kimi-k2", (2, 0), "never", True, TEXT),
    "moonshotai/Kimi-K2-Instruct-0905": ("kimi-k2", (2, 0), "never", True, TEXT),
    "kimi-k2-0711-preview": ("kimi-k2", (2, 0), "never", True, TEXT),
    "kimi-k2-turbo-preview": ("kimi-k2", (2, 0), "never", True, TEXT),
    "accounts/fireworks/models/kimi-k2-instruct-0905": ("kimi-k2", (2, 0), "never", True, TEXT),
    # K2-Thinking
    "moonshotai/kimi-k2-thinking": ("kimi-k2-thinking", (2, 0), "always", True, TEXT),
    "moonshotai/kimi-k2-thinking-20251106": ("kimi-k2-thinking", (2, 0), "always", True, TEXT),
    "moonshotai/Kimi-K2-Thinking": ("kimi-k2-thinking", (2, 0), "always", True, TEXT),
    "moonshot.kimi-k2-thinking": ("kimi-k2-thinking", (2, 0), "always", True, TEXT),
    "kimi-k2-thinking-turbo": ("kimi-k2-thinking", (2, 0), "always", True, TEXT),
    # K2.5, K2.6, and one that is not there yet
    "moonshotai/kimi-k2.5": ("kimi-k2.5", (2, 5), "switchable", True, SEES),
    "moonshotai/kimi-k2.5-0127": ("kimi-k2.5", (2, 5), "switchable", True, SEES),
    "accounts/fireworks/models/kimi-k2p5": ("kimi-k2.5", (2, 5), "switchable", True, SEES),
    "moonshotai/kimi-k2.6-20260420": ("kimi-k2.6", (2, 6), "switchable", True, SEES),
    "kimi-k2.6": ("kimi-k2.6", (2, 6), "switchable", True, SEES),
    "moonshotai/kimi-k2.8": ("kimi-k2.8", (2, 8), "switchable", True, SEES),
    # K2.7-code
    "moonshotai/kimi-k2.7-code": ("kimi-k2.7-code", (2, 7), "always", True, SEES),
    "moonshotai/kimi-k2.7-code-20260612:nitro": ("kimi-k2.7-code", (2, 7), "always", True, SEES),
    "kimi-k2.7-code-highspeed": ("kimi-k2.7-code", (2, 7), "always", True, SEES),
    # K3 and after: ids in other forms, and nothing is denied of what is not known
    "kimi-k3": ("kimi-k3", (3, 0), "always", False, SEES),
    "moonshotai/kimi-k3-20260715": ("kimi-k3", (3, 0), "always", False, SEES),
    "moonshotai/kimi-k3.5": ("kimi-k3.5", (3, 5), "always", False, EVERYTHING),
    "moonshotai/kimi-k4": ("kimi-k4", (4, 0), "always", False, EVERYTHING),
    "moonshotai/kimi-k12-preview": ("kimi-k12", (12, 0), "always", False, EVERYTHING),
    "~moonshotai/kimi-latest": ("kimi-latest", (3, 0), "always", False, EVERYTHING),
}

STRANGERS = [
    "",
    "@preset/kimi-k2",
    "openrouter/auto",
    "openai/gpt-4o-2024-08-06",
    "anthropic/claude-4.5-haiku-20251001",
    "moonshotai/kimi-dev-72b",
    "moonshotai/kimi-dev-72b:free",
    "moonshotai/kimi-linear-48b-a3b-instruct",
    "moonshotai/kimi-vl-a3b-thinking",
    "moonshotai/kimi-k1.5",
    "moonshotai/moonlight-16b-a3b-instruct",
    "somebody/notkimi-k2",
    "somebody/qwen3-4b-kimi-k2-distill",
    "kimi-thinking-preview",
    "~moonshotai/kimi-latest-of-somebody",
]


@pytest.mark.parametrize(("slug", "facts"), FAMILIES.items(), ids=FAMILIES)
def test_a_slug_has_the_facts_of_its_family(slug: str, facts: tuple[object, ...]) -> None:
    kimi = family(slug)
    assert kimi is not None
    assert (kimi.name, kimi.generation, kimi.thinking, kimi.positional_call_ids, kimi.modalities) == facts
    assert is_kimi(slug)


@pytest.mark.parametrize("slug", STRANGERS)
def test_other_models_have_no_family(slug: str) -> None:
    assert family(slug) is None
    assert not is_kimi(slug)


@pytest.mark.parametrize(
    ("slug", "base"),
    [
        ("moonshotai/kimi-k2", "moonshotai/kimi-k2"),
        ("moonshotai/kimi-k2:free:online", "moonshotai/kimi-k2"),
        ("moonshotai/kimi-k2-0711", "moonshotai/kimi-k2"),
        ("moonshotai/kimi-k2-0905", "moonshotai/kimi-k2-0905"),
        ("moonshotai/kimi-k2-0905-20250904", "moonshotai/kimi-k2-0905"),
        ("moonshotai/kimi-k2-0905:exacto@preset/x", "moonshotai/kimi-k2-0905"),
        ("moonshotai/kimi-k2-thinking-20251106", "moonshotai/kimi-k2-thinking"),
        ("moonshotai/kimi-k2.5-0127:nitro", "moonshotai/kimi-k2.5"),
        ("moonshotai/kimi-k2.6-2026-04-20", "moonshotai/kimi-k2.6"),
        ("~moonshotai/kimi-latest", "~moonshotai/kimi-latest"),
        ("hf:moonshotai/Kimi-K2-Instruct-0905", "hf:moonshotai/Kimi-K2-Instruct-0905"),
        ("@cf/moonshotai/kimi-k2.5", "@cf/moonshotai/kimi-k2.5"),
        ("openai/gpt-4o-2024-08-06:floor", "openai/gpt-4o-2024-08-06"),
        ("kimi-k2.6@preset/x", "kimi-k2.6"),
        ("@preset/x", ""),
    ],
)
def test_base_slug_removes_variants_presets_and_dates(slug: str, base: str) -> None:
    assert base_slug(slug) == base


@pytest.mark.parametrize(
    ("slug", "answer"),
    [("@preset/x", True), ("moonshotai/kimi-k2@preset/x", True), ("moonshotai/kimi-k2", False)],
)
def test_a_preset_is_recognized(slug: str, *, answer: bool) -> None:
    assert names_preset(slug) is answer


def test_a_family_cannot_be_changed() -> None:
    kimi = family("moonshotai/kimi-k3")
    assert kimi is not None
    assert dataclasses.replace(kimi, thinking="never") != kimi
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(kimi, "thinking", "never")  # noqa: B010 - a plain assignment is what the type checker refuses already
