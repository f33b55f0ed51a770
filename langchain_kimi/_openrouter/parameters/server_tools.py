"""OpenRouter's server tools: tools that OpenRouter itself runs within a request.

Each is a dict in OpenRouter's format, `{"type": "openrouter:…", "parameters": {…}}`, so everything that accepts tools
as dicts accepts it, such as LangChain's `create_agent`. The parameters are checked like the options of plugins: unset
ones are not sent, undocumented ones are sent unchanged with a warning, and a likely typo is an error.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar, cast, dataclass_transform

from pydantic import BeforeValidator, ConfigDict, model_validator
from pydantic.dataclasses import dataclass

from langchain_kimi._openrouter.parameters.options import CacheControl, Options, Reasoning, check_keys, options_of
from langchain_kimi._openrouter.parameters.rules import Flag, integer, invalid, number, text, texts, word

SEARCH_ENGINES = ("auto", "native", "exa", "firecrawl", "parallel", "perplexity")
FETCH_ENGINES = ("auto", "native", "openrouter", "exa", "firecrawl", "parallel")
BASH_ENGINES = ("auto", "native", "openrouter")
MAX_FUSION_MODELS = 8
MAX_NAME_LENGTH = 64

Tool = TypeVar("Tool", bound="ServerTool")


def _tools(value: object) -> object:
    """Return a list of tools. An empty list is sent, because OpenRouter reads it as "no tools"."""
    if value is not None and not isinstance(value, list | tuple):
        raise invalid("a list of server tools or dicts", value)
    for item in value or ():
        if not isinstance(item, dict):
            raise invalid("a list of server tools or dicts", item, inside=True)
    return value


Domains = Annotated[Sequence[str] | None, texts()]
Tools = Annotated[Sequence[Mapping[str, Any]] | None, BeforeValidator(_tools)]
ReasoningOptions = Annotated[Reasoning | dict[str, Any] | None, options_of(Reasoning)]
Count = Annotated[int | None, integer(1)]
Text = Annotated[str | None, text()]
Temperature = Annotated[float | None, number(0, 2)]


@dataclass_transform(kw_only_default=True, frozen_default=True)
def _server_tool(tool_type: str) -> Callable[[type[Tool]], type[Tool]]:
    """Return a decorator for the class of the tool with this type."""

    def decorate(kind: type[Tool]) -> type[Tool]:
        kind.tool_type = tool_type
        config = ConfigDict(extra="allow", hide_input_in_errors=True, defer_build=True)
        made = dataclass(kw_only=True, frozen=True, eq=False, repr=False, config=config)(kind)
        return cast("type[Tool]", made)

    return decorate


class ServerTool(dict[str, Any]):
    """The base class of all server tools: a dict in OpenRouter's format, built from keyword arguments.

    Each argument is a parameter of the tool, and also available as an attribute.

    Raises:
        pydantic.ValidationError: A parameter has an invalid value, or is a likely typo of a documented one.
    """

    tool_type: ClassVar[str]
    """The value of `type` in the dict."""
    takes_any_key: ClassVar[bool] = False
    """Whether every parameter is accepted without a warning."""

    @model_validator(mode="before")
    @classmethod
    def _check_parameters(cls, arguments: Any) -> Any:
        if not cls.takes_any_key:
            documented: list[str] = list(vars(cls)["__dataclass_fields__"])
            # pydantic passes an `ArgsKwargs`.
            check_keys(arguments.kwargs or {}, documented, cls.tool_type)
        return arguments

    def __post_init__(self) -> None:
        self["type"] = self.tool_type
        if parameters := dict(_parameters(vars(self))):
            self["parameters"] = parameters

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get("parameters", {}).items())
        return f"{type(self).__name__}({shown})"


def _parameters(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the parameters that are set, as JSON."""
    for name, value in values.items():
        if isinstance(value, Options):
            yield name, value.to_wire()
        elif isinstance(value, tuple | list):
            yield name, [dict(item) if isinstance(item, dict) else item for item in value]
        elif value is not None:
            yield name, value


@_server_tool("openrouter:web_search")
class WebSearch(ServerTool):
    """Web search: the model searches the web when it needs to. The reply cites the pages."""

    engine: Annotated[str | None, word(*SEARCH_ENGINES)] = None
    """`auto` (default: `native` if the provider has a search, else `exa`), `native`, `exa`, `firecrawl`, `parallel` or
    `perplexity`."""
    mode: Text = None
    """Search mode; the values depend on the engine."""
    max_results: Annotated[int | None, integer(1, 25)] = None
    """Maximum number of results of one search; an integer from 1 to 25 (default 5). Not for `native`."""
    max_total_results: Count = None
    """Maximum number of results of all searches of a request; an integer of at least 1 (default 50)."""
    max_uses: Count = None
    """Maximum number of searches of a request; an integer of at least 1."""
    max_characters: Annotated[int | None, integer(1, 100_000)] = None
    """Maximum number of characters of each result; an integer from 1 to 100000. Overrides `search_context_size`."""
    search_context_size: Annotated[str | None, word("low", "medium", "high")] = None
    """Amount of text of each result: `low`, `medium` or `high`."""
    allowed_domains: Domains = None
    """The only domains to search. An alternative to `excluded_domains`."""
    excluded_domains: Domains = None
    """Domains to exclude from the search. An alternative to `allowed_domains`."""
    user_location: dict[str, Any] | None = None
    """Location of the user: `{"type": "approximate", "city": …, "region": …, "country": …, "timezone": …}`."""
    x_search: dict[str, Any] | None = None
    """Options of X (Twitter) search, which xAI's endpoints add to their native search and bill separately."""

    @model_validator(mode="after")
    def _check_alternatives(self) -> Self:
        if self.allowed_domains and self.excluded_domains:
            raise ValueError("allowed_domains and excluded_domains are alternatives; set one of them")
        return self


@_server_tool("openrouter:web_fetch")
class WebFetch(ServerTool):
    """Web fetch: the model reads web pages and PDF files by URL."""

    engine: Annotated[str | None, word(*FETCH_ENGINES)] = None
    """`auto` (default: `native` if the provider can fetch, else `exa`), `native`, `openrouter`, `exa`, `firecrawl` or
    `parallel`."""
    max_uses: Count = None
    """Maximum number of pages of a request; an integer of at least 1."""
    max_content_tokens: Count = None
    """Maximum number of tokens taken from one page; an integer of at least 1."""
    allowed_domains: Domains = None
    """The only domains to fetch from."""
    blocked_domains: Domains = None
    """Domains to exclude from fetching."""


@_server_tool("openrouter:datetime")
class DateTime(ServerTool):
    """Date and time: the model can read the clock."""

    timezone: Text = None
    """IANA name of the time zone, such as `Europe/Oslo` (default UTC)."""


@_server_tool("openrouter:image_generation")
class ImageGeneration(ServerTool):
    """Image generation by another model. Accepts any parameter of OpenRouter's `image_config` as well."""

    takes_any_key = True

    model: Text = None
    """Slug of the model that generates the images (default `openai/gpt-5-image`)."""


@_server_tool("openrouter:bash")
class Bash(ServerTool):
    """Shell commands in a container.

    OpenRouter's schema lists it for chat completions, but its documentation says that only the Messages API has it, and
    requests were observed to be refused with status 400.
    """

    engine: Annotated[str | None, word(*BASH_ENGINES)] = None
    """`openrouter`: in OpenRouter's container; `auto` (default) and `native`: the call is returned to you."""
    environment: dict[str, Any] | None = None
    """The container: `{"type": "container_auto"}` or `{"type": "container_reference", "container_id": …}`."""


@_server_tool("openrouter:files")
class Files(ServerTool):
    """Files: the model reads, writes, edits and lists the files of the key's workspace."""


@_server_tool("openrouter:experimental__search_models")
class SearchModels(ServerTool):
    """Search for models (experimental): the model searches OpenRouter's list of models."""

    max_results: Annotated[int | None, integer(1, 20)] = None
    """Maximum number of models; an integer from 1 to 20 (default 5)."""


@_server_tool("openrouter:advisor")
class Advisor(ServerTool):
    """Advisor: the model consults another model. Several advisors need distinct names."""

    name: Annotated[str | None, text(MAX_NAME_LENGTH)] = None
    """Name of the advisor; at most 64 letters, digits, spaces, underscores and dashes."""
    model: Text = None
    """Slug of the model to consult. Without it, the calling model chooses, or the model of the request is used."""
    instructions: Text = None
    """System message of the advisor."""
    forward_transcript: Flag = None
    """Whether the advisor sees the whole conversation (default false: only the prompt of the call)."""
    max_completion_tokens: Count = None
    """Maximum number of output tokens, including reasoning; an integer of at least 1."""
    reasoning: ReasoningOptions = None
    """Reasoning options of the advisor."""
    temperature: Temperature = None
    """Temperature of the advisor; a number from 0 to 2."""
    stream: Flag = None
    """Whether the advice is streamed. Chat completions ignore it."""


@_server_tool("openrouter:subagent")
class Subagent(ServerTool):
    """Subagent: the model delegates tasks to another model. Several subagents need distinct names."""

    name: Annotated[str | None, text(MAX_NAME_LENGTH)] = None
    """Name of the subagent; at most 64 letters, digits, spaces, underscores and dashes."""
    model: Text = None
    """Slug of the model that does the tasks (default: the model of the request)."""
    instructions: Text = None
    """System message of the subagent."""
    tools: Tools = None
    """Server tools of the subagent. Functions are refused."""
    max_tool_calls: Annotated[int | None, integer(1, 25)] = None
    """Maximum number of steps with tool calls; an integer from 1 to 25."""
    max_completion_tokens: Count = None
    """Maximum number of output tokens, including reasoning; an integer of at least 1."""
    reasoning: ReasoningOptions = None
    """Reasoning options of the subagent."""
    temperature: Temperature = None
    """Temperature of the subagent; a number from 0 to 2."""
    inherit_functions: Flag = None
    """Whether the subagent has the functions of the request (experimental). Chat completions refuse it."""
    inherited_function_names: Annotated[Sequence[str] | None, texts()] = None
    """Names of the functions that the subagent has (experimental). Chat completions refuse it."""


@_server_tool("openrouter:fusion")
class Fusion(ServerTool):
    """Fusion: several models answer, and one model analyzes their answers for the calling model."""

    analysis_models: Annotated[Sequence[str] | None, texts(MAX_FUSION_MODELS)] = None
    """The models that answer; at most 8."""
    model: Text = None
    """The model that analyzes the answers (default: the model of the request)."""
    tools: Tools = None
    """Server tools of these models (default: web search and web fetch); an empty list means no tools."""
    max_tool_calls: Annotated[int | None, integer(1, 16)] = None
    """Maximum number of steps with tool calls of each model; an integer from 1 to 16 (default 4)."""
    max_completion_tokens: Count = None
    """Maximum number of output tokens of each call, including reasoning; an integer of at least 1 (default 16000)."""
    reasoning: ReasoningOptions = None
    """Reasoning options of these models."""
    temperature: Temperature = None
    """Temperature of the models that answer; a number from 0 to 2. The analysis has temperature 0."""
    cache_control: Annotated[CacheControl | dict[str, Any] | None, options_of(CacheControl)] = None
    """Cache control for Anthropic models."""


BY_TYPE: dict[str, type[ServerTool]] = {
    kind.tool_type: kind
    for kind in (
        WebSearch,
        WebFetch,
        DateTime,
        ImageGeneration,
        Bash,
        Files,
        SearchModels,
        Advisor,
        Subagent,
        Fusion,
    )
}
"""The documented server tools by type."""
