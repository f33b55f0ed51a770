"""How hosts write Kimi's prompt, where they differ: how tools look, the system text they add, what they leave out.

The same request is billed as 124 tokens by one host and as 216 by another, so whoever counts must know the host. The
data is in `hosts.json`, with its source and date; `scripts/fit_prompt_forms.py` renews it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Literal, TypedDict, cast

from langchain_kimi._kimi.families import KimiFamily

ToolsStyle = Literal["json", "compact_json", "typescript"]
"""How tools are shown to the model: JSON with blanks, JSON without, or types of TypeScript; a third of a small prompt
hangs on it."""

STYLES: tuple[ToolsStyle, ...] = ("json", "compact_json", "typescript")


@dataclass(frozen=True, slots=True)
class PromptForm:
    """How a prompt is written.

    Attributes:
        tools: How tools are shown to the model.
        default_system: Whether a conversation without a system message gets one.
        reasoning: Whether the model sees what it thought in a running loop of tool calls.
    """

    tools: ToolsStyle
    default_system: bool = True
    reasoning: bool = True


class FormRow(TypedDict):
    """A host in the data file; `prompts` are those that the form was fitted to, the newest from `seen`."""

    tools: ToolsStyle
    default_system: bool
    reasoning: bool
    seen: str
    prompts: int


class FormData(TypedDict):
    """The data file: forms by family, of K2 and of K2.5 and later, and by the host's slug."""

    source: str
    date: str
    forms: dict[str, dict[str, FormRow]]


def default_form(family: KimiFamily | None) -> PromptForm:
    """Give the form of a family's released template, for a host of which nothing is known.

    K2's template leaves the blanks in JSON to the host, and most hosts write them. That is the longest form, so whoever
    guards a limit is on the safe side with it.
    """
    is_newer = family is not None and family.template != "k2"
    return PromptForm("typescript" if is_newer else "json", default_system=family is not None and not is_newer)


def form_of_host(family: KimiFamily | None, host: str | None) -> PromptForm | None:
    """Give the form in which a host was last seen to write prompts; None for one of which nothing is known.

    Args:
        family: The model's.
        host: The host's slug, such as `moonshotai`; a longer one, `deepinfra/fp4`, stands for the same host.
    """
    if family is None or not host:
        return None
    row = _data()["forms"].get(generation_name(family), {}).get(host.partition("/")[0])
    return None if row is None else PromptForm(row["tools"], row["default_system"], row["reasoning"])


def possible_forms(family: KimiFamily | None) -> tuple[PromptForm, ...]:
    """List the forms that hosts may use for a family, that of its template first."""
    first = default_form(family)
    if family is None or family.template == "k3":
        return (first,)
    systems = (True, False) if first.default_system else (False,)
    reasonings = (True,) if family.thinks == "never" else (True, False)
    return tuple(dict.fromkeys([first, *(PromptForm(*choice) for choice in product(STYLES, systems, reasonings))]))


def generation_name(family: KimiFamily) -> str:
    """Name the generation that shares its forms: `kimi-k2` before K2.5, `kimi-k2.5` from then on."""
    return "kimi-k2" if family.template == "k2" else "kimi-k2.5"


@cache
def _data() -> FormData:
    text = files("langchain_kimi._tokens").joinpath("hosts.json").read_text(encoding="utf-8")
    return cast("FormData", json.loads(text))
