"""The models the emulator knows; prices and limits as of mid 2026, to make replies plausible, not to look up."""

import re
from dataclasses import dataclass

_SAMPLING = (
    "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "min_p", "presence_penalty", "repetition_penalty",
    "response_format", "seed", "stop", "structured_outputs", "temperature", "tool_choice", "tools", "top_k",
    "top_logprobs", "top_p",
)  # fmt: skip
_THINKING = ("include_reasoning", "reasoning", "parallel_tool_calls")

_VARIANTS = "free|extended|thinking|nitro|floor|exacto|online|batch"
_SLUG = re.compile(
    rf"(?P<base>~?[\w.-]+/[\w.-]+?)(?P<variants>(?::(?:{_VARIANTS}))*)(?:@preset/[\w-]+)?|@preset/[\w-]+"
)

PROVIDERS = {
    "moonshotai": "Moonshot AI",
    "novita": "Novita",
    "groq": "Groq",
    "deepinfra": "DeepInfra",
    "chutes": "Chutes",
    "siliconflow": "SiliconFlow",
    "baseten": "BaseTen",
    "atlas-cloud": "AtlasCloud",
    "fireworks": "Fireworks",
    "together": "Together",
    "parasail": "Parasail",
}
"""Slugs of Kimi's hosts with the display names that replies carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model: names, limits, and prices in dollars per million tokens."""

    slug: str
    canonical: str
    context_length: int = 262_144
    max_completion_tokens: int = 262_144
    inputs: tuple[str, ...] = ("text",)
    prompt_price: float = 0.6
    completion_price: float = 2.5
    cache_price: float = 0.15
    thinks: bool = False
    must_think: bool = False

    @property
    def supported_parameters(self) -> tuple[str, ...]:
        """What its hosts take, as the models list tells it."""
        return tuple(sorted(_SAMPLING + _THINKING)) if self.thinks else _SAMPLING


_PICTURES = ("text", "image")

KIMIS = {
    model.slug: model
    for model in (
        Model(
            slug="moonshotai/kimi-k2",
            canonical="moonshotai/kimi-k2",
            context_length=131_072,
            max_completion_tokens=100_352,
            prompt_price=0.57,
            completion_price=2.3,
        ),
        Model(slug="moonshotai/kimi-k2-0905", canonical="moonshotai/kimi-k2-0905"),
        Model(
            slug="moonshotai/kimi-k2-thinking",
            canonical="moonshotai/kimi-k2-thinking-20251106",
            thinks=True,
            must_think=True,
        ),
        Model(
            slug="moonshotai/kimi-k2.5",
            canonical="moonshotai/kimi-k2.5-0127",
            max_completion_tokens=65_535,
            inputs=_PICTURES,
            prompt_price=0.45,
            completion_price=2.25,
            cache_price=0.07,
            thinks=True,
        ),
        Model(
            slug="moonshotai/kimi-k2.6",
            canonical="moonshotai/kimi-k2.6-20260420",
            max_completion_tokens=262_142,
            inputs=_PICTURES,
            prompt_price=0.68,
            completion_price=3.41,
            cache_price=0.12,
            thinks=True,
        ),
        Model(
            slug="moonshotai/kimi-k3",
            canonical="moonshotai/kimi-k3-20260715",
            context_length=1_048_576,
            max_completion_tokens=943_718,
            inputs=(*_PICTURES, "video"),
            prompt_price=3.0,
            completion_price=15.0,
            cache_price=0.3,
            thinks=True,
        ),
    )
}

DEFAULT = "moonshotai/kimi-k2-0905"
"""What answers where no model is asked for, or a router or a preset chooses."""
_ALIASES = {"~moonshotai/kimi-latest": "moonshotai/kimi-k3"}


def is_slug(slug: object) -> bool:
    """Say whether this is well formed as a model id: author, name, known variants, or a preset."""
    return isinstance(slug, str) and _SLUG.fullmatch(slug) is not None


def find(slug: str) -> Model:
    """Look up a model by any of its names, with variants; an unknown model is one that takes everything."""
    match = _SLUG.fullmatch(slug)
    base = (match["base"] if match else None) or DEFAULT
    if base.startswith("openrouter/"):
        base = DEFAULT
    base = _ALIASES.get(base, base)
    for model in KIMIS.values():
        if base in (model.slug, model.canonical):
            return model
    return Model(slug=slug, canonical=slug, inputs=("text", "image", "video", "audio"))


def is_kimi(model: Model) -> bool:
    """Say whether the model is one of the known Kimis."""
    return model.slug in KIMIS


def served_name(slug: str, model: Model) -> str:
    """Name the model in a reply: the dated name, with the variant that was asked for."""
    match = _SLUG.fullmatch(slug)
    return model.canonical + ((match["variants"] or "") if match and is_kimi(model) else "")
