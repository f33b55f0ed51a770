"""Which Kimi a model slug means, and what all models of that generation have in common.

The facts hang on the pattern of a name, not on a list of names: slugs come and go within weeks, and a model that is
newer than this file must still be treated sensibly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal


def thinks(slug: str, parameters: Mapping[str, Any]) -> bool:
    """Tell whether a model thinks in a request with these parameters (in the wire's form)."""
    known = family(slug)
    if known is None or known.thinks == "never":
        return False
    reasoning = parameters.get("reasoning") or {}
    efforts = (reasoning.get("effort"), parameters.get("reasoning_effort"))
    is_switched_off = reasoning.get("enabled") is False or "none" in efforts
    return known.thinks == "always" or not is_switched_off


Thinking = Literal["never", "always", "switchable"]

TEXT = frozenset({"text"})
PICTURES_AND_FILM = frozenset({"text", "image", "video"})
EVERYTHING = frozenset({"text", "image", "video", "audio"})

# OpenRouter writes `author/kimi-k2.5-0127`; others `Kimi-K2-Instruct-0905`, `moonshot.kimi-k2-thinking`, `kimi-k2p5`.
_NAME = re.compile(r"(?:^|[/.])kimi-k(?P<major>\d+)(?:[.p](?P<minor>\d+))?(?P<rest>(?:[-_].*)?)$", re.IGNORECASE)
_LATEST = re.compile(r"(?:^|[/.])kimi-latest$", re.IGNORECASE)
_DATE = re.compile(r"-(?:\d{4}-?\d{2}-?\d{2}|\d{4})$")
_WORD = re.compile(r"[-_]")

_PRESET = "@preset/"
_FIRST_SEEING = (2, 5)
_NEWEST = (3, 0)


@dataclass(frozen=True, slots=True)
class KimiFamily:
    """What a generation of Kimi has in common, whatever the host.

    Attributes:
        name: The family's own name, such as `kimi-k2`, `kimi-k2-thinking`, `kimi-k2.7-code`, `kimi-k3`.
        generation: Major and minor number, (2, 0) for K2 and (3, 0) for K3; compare with `<` and `>=`.
        thinks: Whether it reasons before it answers, and whether that can be switched.
        positional_call_ids: Whether it was trained on tool-call ids of the form `functions.{name}:{index}`.
        sees: The kinds of input that the weights can take. A host may offer fewer; of a generation newer than this
            file nothing is denied.
    """

    name: str
    generation: tuple[int, int]
    thinks: Thinking
    positional_call_ids: bool
    sees: frozenset[str]


@lru_cache(maxsize=256)
def base_slug(slug: str) -> str:
    """Strip variants (`:free`, `:exacto`), a preset and a Kimi's date from a slug.

    `moonshotai/kimi-k2.5-0127:nitro` becomes `moonshotai/kimi-k2.5`. The 0905 of `kimi-k2-0905` stays, because that is
    a model of its own beside `kimi-k2`. A slug that is nothing but a preset (`@preset/x`) becomes the empty string.
    """
    author, slash, name = slug.partition(_PRESET)[0].rpartition("/")
    name = name.partition(":")[0]
    return author + slash + _undated(name)


@lru_cache(maxsize=256)
def family(slug: str) -> KimiFamily | None:
    """Tell the family of a model by its slug, OpenRouter's or another host's; None for what is not K2 or newer."""
    return _family(base_slug(slug))


def is_kimi(slug: str) -> bool:
    """Tell whether the slug means a Kimi of the K series (K2 or newer), which alone have the habits handled here."""
    return family(slug) is not None


def names_preset(slug: str) -> bool:
    """Tell whether the slug names a preset, whose settings on the server are not known here."""
    return _PRESET in slug


def _undated(name: str) -> str:
    """Strip the date of a Kimi's release; other makers' dated names are models of their own."""
    kimi = _NAME.search(name)
    if kimi is None or (_generation(kimi) == (2, 0) and kimi["rest"].endswith("-0905")):
        return name
    return _DATE.sub("", name)


def _generation(kimi: re.Match[str]) -> tuple[int, int]:
    return int(kimi["major"]), int(kimi["minor"] or 0)


def _family(slug: str) -> KimiFamily | None:
    if _LATEST.search(slug):
        # It pointed to K3 when this was written and will move on, so nothing is denied of it.
        return KimiFamily("kimi-latest", _NEWEST, "always", positional_call_ids=False, sees=EVERYTHING)
    kimi = _NAME.search(slug)
    if kimi is None or _generation(kimi) < (2, 0):
        return None
    generation = _generation(kimi)
    kind = _kind(kimi)
    return KimiFamily(
        name=f"kimi-k{generation[0]}" + (f".{generation[1]}" if generation[1] else "") + (f"-{kind}" if kind else ""),
        generation=generation,
        thinks=_thinks(generation, kind),
        positional_call_ids=generation < (3, 0),
        sees=_sees(generation),
    )


def _kind(kimi: re.Match[str]) -> str:
    words = set(_WORD.split(kimi["rest"].lower()))
    return next((kind for kind in ("thinking", "code") if kind in words), "")


def _thinks(generation: tuple[int, int], kind: str) -> Thinking:
    # Observed: K2-Thinking, K2.7-code and K3 refuse to be told not to think; K2.5 and K2.6 have a switch.
    if generation >= (3, 0) or kind:
        return "always"
    return "switchable" if generation >= _FIRST_SEEING else "never"


def _sees(generation: tuple[int, int]) -> frozenset[str]:
    if generation < _FIRST_SEEING:
        return TEXT
    # The weights of K2.5 and later take film too; OpenRouter lists it for K3 alone.
    return PICTURES_AND_FILM if generation <= _NEWEST else EVERYTHING
