"""OpenRouter plugins (`plugins`): processing of a request or its reply by OpenRouter.

A plugin of the request overrides the account's default for it; `enabled=False` switches such a default off. A plugin
with an unknown id becomes a `GenericPlugin` and is sent unchanged.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from langchain_kimi._openrouter.parameters.options import Options, as_dict, options_of
from langchain_kimi._openrouter.parameters.rules import (
    Flag,
    checked_word,
    integer,
    invalid,
    number,
    objects,
    text,
    texts,
    word,
)

ENGINES = ("native", "exa", "firecrawl", "parallel", "perplexity")
PDF_ENGINES = ("mistral-ocr", "cloudflare-ai", "native", "pdf-text")
SWITCHYARD_ALGORITHMS = ("capability", "stage", "auto", "random", "composite", "passthrough")
COST_TIERS = ("low", "medium", "high", "xhigh", "max")
FUSION_PRESETS = ("general-high", "general-budget", "general-fast")

Patterns = Annotated[Sequence[str] | None, texts(1024, max_length=1024, max_total=65536)]


class Plugin(Options):
    """The base class of all plugins, identified by `id`."""

    label = "plugin"

    id: str
    """OpenRouter's id of the plugin."""


class _SwitchablePlugin(Plugin):
    enabled: Flag = None
    """False disables a plugin that the account or the endpoint enables by default (default true)."""


class WebPlugin(_SwitchablePlugin):
    """Web search: results are added to the prompt. Deprecated by OpenRouter: use the tool `openrouter:web_search`."""

    label = "plugin web"

    id: Literal["web"] = "web"
    """Always `web`."""
    max_results: Annotated[int | None, integer(1)] = None
    """Number of search results; an integer of at least 1 (default 5)."""
    engine: Annotated[str | None, word(*ENGINES)] = None
    """Search engine: `native` (of the provider), `exa`, `firecrawl`, `parallel` or `perplexity`."""
    mode: Annotated[str | None, text()] = None
    """Search mode; the values depend on the engine."""
    search_prompt: Annotated[str | None, text()] = None
    """Text that introduces the search results in the prompt."""
    include_domains: Annotated[Sequence[str] | None, texts()] = None
    """The only domains to search."""
    exclude_domains: Annotated[Sequence[str] | None, texts()] = None
    """Domains to exclude from the search."""
    max_uses: Annotated[int | None, integer(1)] = None
    """Maximum number of searches in one request; an integer of at least 1."""
    x_search: dict[str, Any] | None = None
    """Options of X (Twitter) search, which xAI's endpoints add to their native search and bill separately."""
    user_location: dict[str, Any] | None = None
    """Location of the user: `{"type": "approximate", "city": …, "region": …, "country": …, "timezone": …}`."""


class WebFetchPlugin(Plugin):
    """Web fetch: pages are fetched for the model. This plugin has no `enabled`."""

    label = "plugin web-fetch"

    id: Literal["web-fetch"] = "web-fetch"
    """Always `web-fetch`."""
    max_uses: Annotated[int | None, integer(1)] = None
    """Maximum number of pages fetched in one request; an integer of at least 1."""
    max_content_tokens: Annotated[int | None, integer(1)] = None
    """Maximum number of tokens taken from one page; an integer of at least 1."""
    allowed_domains: Annotated[Sequence[str] | None, texts()] = None
    """The only domains to fetch from."""
    blocked_domains: Annotated[Sequence[str] | None, texts()] = None
    """Domains to exclude from fetching."""


class PdfOptions(Options):
    """Options for PDF files."""

    label = "pdf"

    engine: Annotated[str | None, word(*PDF_ENGINES)] = None
    """`mistral-ocr` (about $2 per 1000 pages), `cloudflare-ai` (free) or `native` (the model reads the file).

    The default is `native` if the model accepts files, else `mistral-ocr`."""


class FileParserPlugin(_SwitchablePlugin):
    """File parser: files are converted to text for the model."""

    label = "plugin file-parser"

    id: Literal["file-parser"] = "file-parser"
    """Always `file-parser`."""
    pdf: Annotated[PdfOptions | dict[str, Any] | None, options_of(PdfOptions)] = None
    """Options for PDF files."""


class ResponseHealingPlugin(_SwitchablePlugin):
    """Response healing: malformed JSON is repaired, in replies with a JSON `response_format` that are not streamed."""

    label = "plugin response-healing"

    id: Literal["response-healing"] = "response-healing"
    """Always `response-healing`."""


class ContextCompressionPlugin(_SwitchablePlugin):
    """Context compression: the middle of a prompt that is too long is removed.

    OpenRouter enables it by default for endpoints with a context of at most 8192 tokens.
    """

    label = "plugin context-compression"

    id: Literal["context-compression"] = "context-compression"
    """Always `context-compression`."""
    engine: Annotated[str | None, word("middle-out")] = None
    """The method: `middle-out`."""


class ModerationPlugin(_SwitchablePlugin):
    """Moderation: a moderation model checks the prompt first."""

    label = "plugin moderation"

    id: Literal["moderation"] = "moderation"
    """Always `moderation`."""


class _ModelRouterPlugin(_SwitchablePlugin):
    allowed_models: Patterns = None
    """Patterns of the only models to use; at most 1024 patterns of 1024 characters, 65536 characters together."""
    excluded_models: Patterns = None
    """Patterns of models to exclude; at most 1024 patterns of 1024 characters, 65536 characters together."""
    cost_tier: Annotated[str | None, word(*COST_TIERS)] = None
    """Price range of the models: `low`, `medium`, `high`, `xhigh` or `max`."""
    cost_quality_tradeoff: Annotated[float | None, number(0, 10)] = None
    """Weight of quality against cost; a number from 0 to 10. Deprecated by OpenRouter: use `cost_tier`."""


class AutoRouterPlugin(_ModelRouterPlugin):
    """Auto router: how `openrouter/auto` chooses a model."""

    label = "plugin auto-router"

    id: Literal["auto-router"] = "auto-router"
    """Always `auto-router`."""
    pin_model: Flag = None
    """Whether later turns use the model of the first turn (default false)."""


class AutoBetaRouterPlugin(_ModelRouterPlugin):
    """Beta version of the auto router: how `openrouter/auto-beta` chooses a model."""

    label = "plugin auto-beta-router"

    id: Literal["auto-beta-router"] = "auto-beta-router"
    """Always `auto-beta-router`."""


class ParetoRouterPlugin(_SwitchablePlugin):
    """Pareto router: how `openrouter/pareto-code` chooses a model."""

    label = "plugin pareto-router"

    id: Literal["pareto-router"] = "pareto-router"
    """Always `pareto-router`."""
    min_coding_score: Annotated[float | None, number(0, 1)] = None
    """Minimum coding score of the model; a number from 0 to 1."""
    max_price: Annotated[float | None, number(0)] = None
    """Maximum price; a number of at least 0."""
    price_source: Annotated[str | None, word("prompt", "weighted_avg")] = None
    """The price that `max_price` limits: `prompt` or `weighted_avg`."""


class FusionPlugin(_SwitchablePlugin):
    """Fusion: several models answer, and one model combines their answers."""

    label = "plugin fusion"

    id: Literal["fusion"] = "fusion"
    """Always `fusion`."""
    analysis_models: Annotated[Sequence[str] | None, texts(8)] = None
    """The models that answer; at most 8."""
    model: Annotated[str | None, text()] = None
    """The model that combines the answers."""
    preset: Annotated[str | None, word(*FUSION_PRESETS)] = None
    """Preset of models: `general-high`, `general-budget` or `general-fast`."""
    max_tool_calls: Annotated[int | None, integer(1, 16)] = None
    """Maximum number of tool calls of each model; an integer from 1 to 16 (default 4)."""
    tools: Annotated[Sequence[dict[str, Any]] | None, objects(8)] = None
    """Tools for the models, as dicts in OpenRouter's format; at most 8."""


class JevRouterPlugin(Plugin):
    """Jev router: restricts the models that it chooses from."""

    label = "plugin jev-router"

    id: Literal["jev-router"] = "jev-router"
    """Always `jev-router`."""
    models: Patterns = None
    """Patterns of the only models to use; at most 1024 patterns of 1024 characters, 65536 characters together."""
    allowed_models: Patterns = None
    """Alias of `models`; the patterns of both are combined."""
    excluded_models: Patterns = None
    """Patterns of models to exclude; at most 1024 patterns of 1024 characters, 65536 characters together."""
    cost_tier: Annotated[str | None, text()] = None
    """Price range of the models: `low`, `medium`, `high` or a tier that the operator configured."""


class SwitchyardRouterPlugin(Plugin):
    """Switchyard router: how it chooses between an efficient and a capable model."""

    label = "plugin switchyard-router"

    id: Literal["switchyard-router"] = "switchyard-router"
    """Always `switchyard-router`."""
    algorithm: Annotated[str | None, word(*SWITCHYARD_ALGORITHMS)] = None
    """`capability`, `stage` (default), `auto`, `random`, `composite` or `passthrough`."""
    judge_model: Annotated[str | None, text()] = None
    """Slug of the model that judges the task; it is billed, and must support structured outputs."""


class AlignmentPlugin(Plugin):
    """Alignment (beta): states rules to the model, and evaluates every turn against them."""

    label = "plugin alignment"

    id: Literal["alignment"] = "alignment"
    """Always `alignment`."""
    rules: Annotated[Sequence[dict[str, Any]] | None, objects()] = None
    """The rules, as dicts in OpenRouter's format; each is evaluated on its own."""
    instruct: Flag = None
    """Whether the rules are stated to the model in a system message (default true)."""
    max_retries: Annotated[int | None, integer(0)] = None
    """Number of retries after a blocked turn, if `mode` is `enforce`; an integer of at least 0 (default 1)."""
    mode: Annotated[str | None, word("enforce", "audit")] = None
    """`audit` (default): turns are only evaluated; `enforce`: a turn that breaks a rule is withheld and retried."""
    threshold: Annotated[float | None, number(0, 1)] = None
    """Probability from which a rule counts as broken; a number from 0 to 1 (default 0.7)."""


class ArmorPlugin(_SwitchablePlugin):
    """Armor (beta): evaluates every tool call of the model against rules before it reaches you."""

    label = "plugin armor"

    id: Literal["armor"] = "armor"
    """Always `armor`."""
    classifier_context: dict[str, Any] | None = None
    """The rules and the environment, as a dict in OpenRouter's format."""
    evaluate_native_tools: Flag = None
    """Whether server tools of the provider are evaluated too (default false)."""
    mode: Annotated[str | None, word("enforce", "audit")] = None
    """`enforce` (default): blocked calls are withheld; `audit`: verdicts are only reported."""
    on_error: Annotated[str | None, word("log", "block")] = None
    """The treatment of a call that could not be evaluated: `block` (default) or `log`."""
    output_mode: Annotated[str | None, word("text", "custom_item", "claude_code_compatibility")] = None
    """The report of a blocked call; in chat completions only `text` (default): a marker in the text."""
    use_cc_style_default_rules: Flag = None
    """Whether to add Claude Code's own rules (default false in chat completions)."""


class GenericPlugin(Plugin):
    """A plugin with any id and any keys, all of them sent unchanged."""

    label = "plugin"
    takes_any_key = True


BY_ID: dict[str, type[Plugin]] = {
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
        JevRouterPlugin,
        SwitchyardRouterPlugin,
        AlignmentPlugin,
        ArmorPlugin,
    )
}
"""The documented plugins by id."""


def plugin(value: object) -> Plugin:
    """Return the plugin, built from a dict by its `id` if necessary.

    To send an id that is refused as a typo, pass a `GenericPlugin` instead of a dict.

    Raises:
        ValueError: The value is neither a plugin nor a dict with an `id`, or the id is a typo of a documented one.
    """
    if isinstance(value, Plugin):
        return value
    value = as_dict(value)
    if not isinstance(value, Mapping):
        raise invalid("a plugin or a dict", value)
    if not isinstance(value.get("id"), str):
        raise invalid(f"a dict with an 'id', such as {', '.join(BY_ID)}", value)
    return BY_ID.get(checked_word(value["id"], list(BY_ID)), GenericPlugin).model_validate(dict(value))
