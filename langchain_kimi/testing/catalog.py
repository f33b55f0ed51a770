"""The models of the emulator. Their prices and limits date from mid 2026 and only make replies plausible."""

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
"""The slugs of Kimi's providers and their display names in responses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model: names, limits in tokens, and prices in dollars per million tokens."""

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
        """The parameters that its providers support, as in the list of models."""
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
"""The model that serves a request without a model, with a router or with a preset."""
_ALIASES = {"~moonshotai/kimi-latest": "moonshotai/kimi-k3"}


def is_slug(slug: object) -> bool:
    """Return whether a value is a well-formed model id: author, name and known variants, or a preset."""
    return isinstance(slug, str) and _SLUG.fullmatch(slug) is not None


def find(slug: str) -> Model:
    """Return the model with this name, with or without variants; for an unknown name, a model without restrictions."""
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
    """Return whether the model is a known Kimi model."""
    return model.slug in KIMIS


def served_name(slug: str, model: Model) -> str:
    """Return the model's name in responses: the dated name with the requested variant."""
    match = _SLUG.fullmatch(slug)
    return model.canonical + ((match["variants"] or "") if match and is_kimi(model) else "")
