"""Plugins: what OpenRouter does to a request or its reply on the way (the wire's `plugins`).

A plugin of the request overrides the account's default for it; `enabled=False` switches such a default off. A plugin
whose id is new to this package is carried as a `GenericPlugin`, with whatever keys it has.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict

from langchain_kimi._openrouter.parameters.options import Options, options
from langchain_kimi._openrouter.parameters.rules import (
    Flag,
    checked_word,
    number,
    objects,
    refusal,
    text,
    texts,
    whole,
    word,
)

ENGINES = ("native", "exa", "firecrawl", "parallel", "perplexity")
PDF_ENGINES = ("mistral-ocr", "cloudflare-ai", "native", "pdf-text")
COST_TIERS = ("low", "medium", "high", "xhigh", "max")
FUSION_PRESETS = ("general-high", "general-budget", "general-fast")

Patterns = Annotated[Sequence[str] | None, texts(1024, longest=1024, total=65536)]


class Plugin(Options):
    """The base of all plugins; its `id` says which one it is."""

    label = "plugin"

    id: str
    """The plugin's name on the wire."""


class _SwitchablePlugin(Plugin):
    enabled: Flag = None
    """False switches the plugin off where the account or the endpoint has it on. Default: true."""


class WebPlugin(_SwitchablePlugin):
    """Search results are put before the prompt; deprecated by OpenRouter for the tool `openrouter:web_search`."""

    label = "plugin web"

    id: Literal["web"] = "web"
    """Always `web`."""
    max_results: Annotated[int | None, whole(1)] = None
    """How many results; an integer of at least 1, by default 5."""
    engine: Annotated[str | None, word(*ENGINES)] = None
    """`native`, `exa`, `firecrawl`, `parallel` or `perplexity`."""
    mode: Annotated[str | None, text()] = None
    """The engine's own way of searching."""
    search_prompt: Annotated[str | None, text()] = None
    """The text that introduces the results to the model."""
    include_domains: Annotated[Sequence[str] | None, texts()] = None
    """Domains to search; no other."""
    exclude_domains: Annotated[Sequence[str] | None, texts()] = None
    """Domains not to search."""
    max_uses: Annotated[int | None, whole(1)] = None
    """How many searches one request may make; an integer of at least 1."""
    user_location: dict[str, Any] | None = None
    """Where the user is: `{"type": "approximate", "city": …, "region": …, "country": …, "timezone": …}`."""


class WebFetchPlugin(Plugin):
    """Pages are fetched for the model; this one has no `enabled`."""

    label = "plugin web-fetch"

    id: Literal["web-fetch"] = "web-fetch"
    """Always `web-fetch`."""
    max_uses: Annotated[int | None, whole(1)] = None
    """How many pages one request may fetch; an integer of at least 1."""
    max_content_tokens: Annotated[int | None, whole(1)] = None
    """How many tokens of a page are kept; an integer of at least 1."""
    allowed_domains: Annotated[Sequence[str] | None, texts()] = None
    """Domains to fetch from; no other."""
    blocked_domains: Annotated[Sequence[str] | None, texts()] = None
    """Domains not to fetch from."""


class PdfOptions(Options):
    """How PDF files are read."""

    label = "pdf"

    engine: Annotated[str | None, word(*PDF_ENGINES)] = None
    """`mistral-ocr` (paid, for scans), `cloudflare-ai` (free, for text) or `native` (the model reads the file)."""


class FileParserPlugin(_SwitchablePlugin):
    """Files are turned into text before the model sees them."""

    label = "plugin file-parser"

    id: Literal["file-parser"] = "file-parser"
    """Always `file-parser`."""
    pdf: Annotated[PdfOptions | dict[str, Any] | None, options(PdfOptions)] = None
    """How PDF files are read."""


class ResponseHealingPlugin(_SwitchablePlugin):
    """Malformed JSON in a reply is mended; only for plain (not streamed) replies with a JSON `response_format`."""

    label = "plugin response-healing"

    id: Literal["response-healing"] = "response-healing"
    """Always `response-healing`."""


class ContextCompressionPlugin(_SwitchablePlugin):
    """A prompt that is too long is cut in the middle; on by default where the context is at most 8192 tokens."""

    label = "plugin context-compression"

    id: Literal["context-compression"] = "context-compression"
    """Always `context-compression`."""
    engine: Annotated[str | None, word("middle-out")] = None
    """`middle-out`."""


class ModerationPlugin(_SwitchablePlugin):
    """The prompt is checked by a moderation model first."""

    label = "plugin moderation"

    id: Literal["moderation"] = "moderation"
    """Always `moderation`."""


class _ModelRouterPlugin(_SwitchablePlugin):
    allowed_models: Patterns = None
    """Patterns of models to choose from; at most 1024 of at most 1024 characters each, 65536 together."""
    excluded_models: Patterns = None
    """Patterns of models not to choose; at most 1024 of at most 1024 characters each, 65536 together."""
    cost_tier: Annotated[str | None, word(*COST_TIERS)] = None
    """`low`, `medium`, `high`, `xhigh` or `max`."""
    cost_quality_tradeoff: Annotated[float | None, number(0, 10)] = None
    """A number from 0 to 10; deprecated by OpenRouter for `cost_tier`."""


class AutoRouterPlugin(_ModelRouterPlugin):
    """How the model `openrouter/auto` chooses."""

    label = "plugin auto-router"

    id: Literal["auto-router"] = "auto-router"
    """Always `auto-router`."""
    pin_model: Flag = None
    """True: later turns stay with the model of the first. Default: false."""


class AutoBetaRouterPlugin(_ModelRouterPlugin):
    """How the model `openrouter/auto-beta` chooses."""

    label = "plugin auto-beta-router"

    id: Literal["auto-beta-router"] = "auto-beta-router"
    """Always `auto-beta-router`."""


class ParetoRouterPlugin(_SwitchablePlugin):
    """How the model `openrouter/pareto-code` chooses."""

    label = "plugin pareto-router"

    id: Literal["pareto-router"] = "pareto-router"
    """Always `pareto-router`."""
    min_coding_score: Annotated[float | None, number(0, 1)] = None
    """The least score in coding; a number from 0 to 1."""
    max_price: Annotated[float | None, number(0)] = None
    """The highest price; a number of at least 0."""
    price_source: Annotated[str | None, word("prompt", "weighted_avg")] = None
    """Which price is meant: `prompt` or `weighted_avg`."""


class FusionPlugin(_SwitchablePlugin):
    """Several models answer, and one makes a single answer of it."""

    label = "plugin fusion"

    id: Literal["fusion"] = "fusion"
    """Always `fusion`."""
    analysis_models: Annotated[Sequence[str] | None, texts(8)] = None
    """The models that answer; at most 8."""
    model: Annotated[str | None, text()] = None
    """The model that makes one answer of theirs."""
    preset: Annotated[str | None, word(*FUSION_PRESETS)] = None
    """`general-high`, `general-budget` or `general-fast`."""
    max_tool_calls: Annotated[int | None, whole(1, 16)] = None
    """How many tool calls each model may make; an integer from 1 to 16, by default 4."""
    tools: Annotated[Sequence[dict[str, Any]] | None, objects(8)] = None
    """Tools for the models; at most 8, each as on the wire."""


class GenericPlugin(Plugin):
    """A plugin that is new to this package: any id, any keys, all of them sent as given."""

    model_config = ConfigDict(extra="allow")

    label = "plugin"


KNOWN: dict[str, type[Plugin]] = {
    kind.model_fields["id"].default: kind
    for kind in (
        WebPlugin,
        WebFetchPlugin,
        FileParserPlugin,
        ResponseHealingPlugin,
        ContextCompressionPlugin,
        ModerationPlugin,
        AutoRouterPlugin,
        AutoBetaRouterPlugin,
        ParetoRouterPlugin,
        FusionPlugin,
    )
}
"""The plugins that this package knows, by id."""


def plugin(value: object) -> Plugin:
    """Turn a dict into the plugin that its `id` names; raises `ValueError` where it names none, or a slip of one.

    To send an id that is refused as a slip, give a `GenericPlugin` rather than a dict.
    """
    if isinstance(value, Plugin):
        return value
    if not isinstance(value, Mapping):
        raise refusal("a plugin or a dict", value)
    if not isinstance(value.get("id"), str):
        raise refusal(f"a dict with an 'id', such as {', '.join(KNOWN)}", value)
    return KNOWN.get(checked_word(value["id"], list(KNOWN)), GenericPlugin).model_validate(dict(value))
