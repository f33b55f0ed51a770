"""The forms in which hosts write Kimi's prompt: the form of tools, the default system text, and omitted reasoning.

For the same request one host billed 124 tokens and another 216, so a count depends on the host. The data is in
`hosts.json`, with its source and date; `scripts/fit_prompt_forms.py` updates it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Literal, TypedDict, cast

from langchain_kimi._kimi.families import KimiFamily

ToolsStyle = Literal["json", "compact_json", "typescript"]
"""The form of tools in a prompt: JSON with spaces, JSON without spaces, or TypeScript types. It accounts for about a
third of the tokens of a small prompt."""

STYLES: tuple[ToolsStyle, ...] = ("json", "compact_json", "typescript")


@dataclass(frozen=True, slots=True)
class PromptForm:
    """The form in which a host writes a prompt.

    Attributes:
        tools: The form of the tools.
        default_system: Whether a default system message is added to a conversation without a system message.
        reasoning: Whether the model sees its earlier reasoning within a running loop of tool calls.
    """

    tools: ToolsStyle
    default_system: bool = True
    reasoning: bool = True


class FormRow(TypedDict):
    """A host in the data file; `prompts` counts the prompts that the form was fitted to, `seen` is their last month."""

    tools: ToolsStyle
    default_system: bool
    reasoning: bool
    seen: str
    prompts: int


class FormData(TypedDict):
    """The data file: forms by generation (`kimi-k2`; `kimi-k2.5` for K2.5 and later) and by the host's slug."""

    source: str
    date: str
    forms: dict[str, dict[str, FormRow]]


def default_form(family: KimiFamily | None) -> PromptForm:
    """Return the form of a family's released template, which is used for hosts that are not in the data file.

    K2's template does not specify the spaces in JSON, and most hosts write them. This is the longest form, so a check
    against a limit errs on the safe side.
    """
    is_newer = family is not None and family.template != "k2"
    return PromptForm("typescript" if is_newer else "json", default_system=family is not None and not is_newer)


def form_of_host(family: KimiFamily | None, host: str | None) -> PromptForm | None:
    """Return the form in which a host last wrote prompts; None for a host that is not in the data file.

    Args:
        family: The family of the model.
        host: The slug of the host, such as `moonshotai`. A suffix, as in `deepinfra/fp4`, is ignored.
    """
    if family is None or not host:
        return None
    row = _data()["forms"].get(generation_name(family), {}).get(host.partition("/")[0])
    return None if row is None else PromptForm(row["tools"], row["default_system"], row["reasoning"])


def possible_forms(family: KimiFamily | None) -> tuple[PromptForm, ...]:
    """Return the forms that hosts may use for a family, the form of its template first."""
    first = default_form(family)
    if family is None or family.template == "k3":
        return (first,)
    systems = (True, False) if first.default_system else (False,)
    reasonings = (True,) if family.thinking == "never" else (True, False)
    return tuple(dict.fromkeys([first, *(PromptForm(*choice) for choice in product(STYLES, systems, reasonings))]))


def generation_name(family: KimiFamily) -> str:
    """Return the name under which the forms of a family are listed: `kimi-k2` before K2.5, otherwise `kimi-k2.5`."""
    return "kimi-k2" if family.template == "k2" else "kimi-k2.5"


@cache
def _data() -> FormData:
    text = files("langchain_kimi._tokens").joinpath("hosts.json").read_text(encoding="utf-8")
    return cast("FormData", json.loads(text))
