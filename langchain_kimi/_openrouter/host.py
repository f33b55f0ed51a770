"""The servers that a model can talk to, and how their requests differ from OpenRouter's.

A new host is one more entry of `HOSTS`.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

from langchain_kimi._openrouter.conversation import unusual_messages
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireMessage
from langchain_kimi._patterns import lazy_pattern

logger = logging.getLogger("langchain_kimi")

OPENROUTER_FIELDS = frozenset(
    {"cache_control", "debug", "deferred_tools", "image_config", "max_tool_calls", "models", "plugins", "preset"}
    | {"prompt_cache_options", "provider", "reasoning", "route", "session_id", "stop_server_tools_when"}
    | {"structured_outputs", "top_a", "trace", "transforms", "usage"}
)
"""Fields of a request that only OpenRouter reads. Strict servers answer them with 400."""
_SERVER_TOOL = "openrouter:"
_MESSAGE_FIELDS = frozenset(
    {"annotations", "configuration_update", "images", "model", "reasoning", "reasoning_details"}
)
"""Fields of messages that only OpenRouter reads."""
_CACHE_MARKS = frozenset({"cache_control", "prompt_cache_breakpoint"})
"""Keys of messages, content parts and tools that mark the end of a prefix to cache."""
_TOOL_FIELDS = ("tools", "tool_choice", "parallel_tool_calls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A server of the chat completions API.

    Attributes:
        name: The name, as in `ChatKimi(host="moonshot")`.
        base_url: The default base URL.
        url_parts: The host is chosen for base URLs that contain one of these, such as `api.moonshot.ai/`.
        key_variable: The environment variable of the API key; None reads none.
        needs_key: Whether requests without a key are refused before they are sent.
        is_openrouter: Whether OpenRouter's own fields and attribution headers are sent.
        model_prefix: A prefix of OpenRouter's slugs that the host's model names lack, such as `moonshotai/`.
        reasoning_on: The fields that switch reasoning on, where `reasoning` is not sent.
        reasoning_off: The fields that switch reasoning off, where `reasoning` is not sent.
        unsupported: Further fields that are not sent.
        takes_later_tools: Whether system messages may add tools, for models that support it (Kimi K3).
        reads_cache_marks: Whether `cache_control` in messages and tools is sent.
        batches: The form of its batch API, see `langchain_kimi.batch`: `inline` (the requests are in the body of the
            submission), `files` (they are uploaded first), or an empty string.
        batch_rows: The maximum number of requests in a batch; 0 for no limit.
        batch_bytes: The maximum size in bytes of a submission or of its file; 0 for no limit.
    """

    name: str
    base_url: str
    url_parts: tuple[str, ...] = ()
    key_variable: str | None = None
    needs_key: bool = False
    is_openrouter: bool = False
    model_prefix: str = ""
    reasoning_on: Mapping[str, Any] = field(default_factory=dict, hash=False)
    reasoning_off: Mapping[str, Any] = field(default_factory=dict, hash=False)
    unsupported: frozenset[str] = frozenset()
    takes_later_tools: bool = False
    reads_cache_marks: bool = False
    batches: str = ""
    batch_rows: int = 0
    batch_bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, ready for JSON; `ChatKimi(host=...)` accepts them."""
        return {**asdict(self), "url_parts": list(self.url_parts), "unsupported": sorted(self.unsupported)}


OPENROUTER = Host(
    name="openrouter",
    base_url="https://openrouter.ai/api/v1",
    # Gateways and emulators of OpenRouter keep its path.
    url_parts=("openrouter", "/api/v1/"),
    key_variable="OPENROUTER_API_KEY",
    needs_key=True,
    is_openrouter=True,
    # https://openrouter.ai/docs/guides/features/batch-api
    batches="inline",
    batch_rows=5_000,
    batch_bytes=200_000_000,
)
MOONSHOT = Host(
    name="moonshot",
    base_url="https://api.moonshot.ai/v1",
    url_parts=("api.moonshot.ai/",),
    key_variable="MOONSHOT_API_KEY",
    needs_key=True,
    model_prefix="moonshotai/",
    # https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model
    reasoning_on={"thinking": {"type": "enabled"}},
    reasoning_off={"thinking": {"type": "disabled"}},
    # https://platform.kimi.ai/docs/guide/use-dynamic-tool-loading
    takes_later_tools=True,
    # https://platform.kimi.ai/docs/api/batch-create
    batches="files",
    batch_bytes=100_000_000,
)
COMPATIBLE = Host(
    name="openai-compatible",
    base_url="http://localhost:8000/v1",
    # Kimi's chat template reads `thinking`; vLLM, SGLang and llama.cpp hand these arguments to the template.
    reasoning_on={"chat_template_kwargs": {"thinking": True}},
    reasoning_off={"chat_template_kwargs": {"thinking": False}},
)
HOSTS = (
    OPENROUTER,
    MOONSHOT,
    replace(MOONSHOT, name="moonshot-cn", base_url="https://api.moonshot.cn/v1", url_parts=("api.moonshot.cn/",)),
    COMPATIBLE,
    replace(COMPATIBLE, name="vllm"),
    replace(COMPATIBLE, name="sglang", base_url="http://localhost:30000/v1"),
    replace(COMPATIBLE, name="llama.cpp", base_url="http://localhost:8080/v1"),
    # It passes the marks on to Anthropic and others.
    replace(COMPATIBLE, name="litellm", base_url="http://localhost:4000/v1", reads_cache_marks=True),
)
"""All hosts. If several match a base URL, the first one is chosen; if none does, `COMPATIBLE`."""
KEY_VARIABLES = tuple(dict.fromkeys(host.key_variable for host in HOSTS if host.key_variable))


_SEQUENCES: dict[str, Callable[[Any], Any]] = {"url_parts": tuple, "unsupported": frozenset}
"""The types of the fields that `Host.to_dict` returns as lists."""


def host_for(host: "str | Host | Mapping[str, Any] | None", base_url: str) -> Host:
    """Return the host that the user set, otherwise the host of a base URL.

    Args:
        host: A host, its name, or its fields as a dict; None: the host of `base_url`.
        base_url: The base URL; empty for OpenRouter.

    Raises:
        ValueError: There is no host with this name, or the fields are not those of a host.
    """
    if host is None:
        return _host_of_url(base_url) if base_url else OPENROUTER
    if isinstance(host, Host):
        return host
    if isinstance(host, str):
        for candidate in HOSTS:
            if candidate.name == host.strip().lower():
                return candidate
        raise ValueError(f"host must be a Host or one of {', '.join(one.name for one in HOSTS)}.")
    try:
        return Host(**{name: _SEQUENCES[name](value) if name in _SEQUENCES else value for name, value in host.items()})
    except TypeError:
        raise ValueError("host must be a Host, the name of one, or a dict of its fields.") from None


@lru_cache(maxsize=64)
def _host_of_url(base_url: str) -> Host:
    parts = urlsplit(base_url.lower())
    address = f"{parts.hostname}{parts.path.rstrip('/')}/"
    return next((host for host in HOSTS if any(part in address for part in host.url_parts)), COMPATIBLE)


def missing_key(host: Host) -> str:
    """Return the text of the error for a missing key."""
    name = "OpenRouter" if host.is_openrouter else host.name
    variable = f" or set {host.key_variable}." if host.key_variable else ""
    return f"There is no key for {name}: pass api_key=...{variable}"


_COPIED_WITH_KEY = lazy_pattern(r"\A(?:['\"`]|[bB]['\"]|[Bb]earer:|[A-Z][A-Z0-9]*_[A-Z0-9_]*[=:])|['\"`,;]\Z|\\[nrt]\Z")
"""Quotes, `Bearer:`, the name of a variable, a comma, or an escaped line break around a key."""


def check_key(key: str) -> None:
    """Check that the key can be sent in a header.

    Raises:
        ValueError: The key cannot be sent, or something was copied with it, such as quotes, which some tools do not
            remove when they read `.env` files. The message does not contain the key.
    """
    if not key.isascii() or not key.isprintable() or " " in key or _COPIED_WITH_KEY.search(key):
        raise ValueError(
            "api_key must be printable ASCII, like every header: no blanks, line breaks or accents, no quotes around "
            "it, no 'Bearer' or name before it, and no comma behind it."
        )


def for_host(body: WireBody, host: Host, *, streamed: bool, with_usage: bool) -> WireBody:
    """Return a body in the form that a host understands.

    Args:
        body: The body in OpenRouter's form; it is not modified.
        host: The host.
        streamed: Whether the reply is streamed. Only then `stream_options` is sent: vLLM refuses it otherwise.
        with_usage: Whether to request the usage of a stream. OpenRouter always sends it, other hosts on request.
    """
    adapted = dict(cast("JSONObject", body))
    options = adapted.pop("stream_options", None)
    if streamed and (with_usage or options):
        adapted["stream_options"] = {**({"include_usage": True} if with_usage else {}), **(options or {})}
    if not host.is_openrouter:
        adapted = _without_openrouter_fields(adapted, host)
    return cast("WireBody", adapted)


def _without_openrouter_fields(body: JSONObject, host: Host) -> JSONObject:
    """Return a body in the form of another host; the body may be changed."""
    dropped = [name for name in body if (name in OPENROUTER_FIELDS or name in host.unsupported) and name != "reasoning"]
    if dropped:
        logger.info("%s does not understand %s: not sent.", host.name, ", ".join(sorted(dropped)))
    adapted = {name: value for name, value in body.items() if name not in dropped} if dropped else body
    adapted["model"] = str(body["model"]).removeprefix(host.model_prefix)
    marks = frozenset() if host.reads_cache_marks else _CACHE_MARKS
    adapted["messages"] = _messages(body["messages"], marks)
    return _with_reasoning(_with_tools(adapted, marks), host)


def _with_tools(body: JSONObject, marks: frozenset[str]) -> JSONObject:
    """Return a body without server tools, and without the fields of tools that only OpenRouter reads."""
    if body.keys().isdisjoint(_TOOL_FIELDS):
        return body
    tools = [_tool(tool, marks) for tool in body.get("tools") or () if not _is_server_tool(tool)]
    if not tools:
        return {name: value for name, value in body.items() if name not in _TOOL_FIELDS}
    left_out = {"tool_choice"} if _is_server_tool(body.get("tool_choice")) else set()
    return {**{name: value for name, value in body.items() if name not in left_out}, "tools": tools}


def _is_server_tool(tool: Any) -> bool:
    return isinstance(tool, Mapping) and str(tool.get("type")).startswith(_SERVER_TOOL)


def _tool(tool: JSONObject, marks: frozenset[str]) -> JSONObject:
    function = tool.get("function")
    sent = _without(tool, marks)
    return {**sent, "function": _without(function, {"defer_loading"})} if isinstance(function, Mapping) else sent


def _without(values: Mapping[str, Any], names: Collection[str]) -> JSONObject:
    return {name: value for name, value in values.items() if name not in names}


def _messages(messages: list[WireMessage], marks: frozenset[str]) -> list[WireMessage]:
    """Return the messages without the fields that only OpenRouter reads.

    The reasoning is sent as `reasoning_content`, the name that other servers read.
    """
    extras = _MESSAGE_FIELDS | marks
    if not any(not extras.isdisjoint(message) or _has_marks(message, marks) for message in unusual_messages(messages)):
        return messages
    return cast("list[WireMessage]", [_message(message, extras, marks) for message in cast("Any", messages)])


def _message(message: JSONObject, extras: frozenset[str], marks: frozenset[str]) -> JSONObject:
    text = message.get("reasoning")
    adapted = {**({} if text is None else {"reasoning_content": text}), **_without(message, extras)}
    if _has_marks(message, marks):
        adapted["content"] = [_without(part, marks) for part in message["content"]]
    return adapted


def _has_marks(message: Any, marks: frozenset[str]) -> bool:
    content = message.get("content")
    return isinstance(content, list) and any(not marks.isdisjoint(part) for part in content)


def _with_reasoning(body: JSONObject, host: Host) -> JSONObject:
    """Return a body whose `reasoning` object and effort are replaced by the host's own fields."""
    reasoning: Mapping[str, Any] = body.pop("reasoning", None) or {}
    effort = body.pop("reasoning_effort", None) or reasoning.get("effort")
    if effort == "none" or reasoning.get("enabled") is False:
        switch = host.reasoning_off
    else:
        switch = host.reasoning_on if reasoning.get("enabled") else {}
        if effort is not None:
            body["reasoning_effort"] = effort
    for name, value in switch.items():
        user_value = body.get(name)
        # The user's own arguments take precedence.
        if user_value is None:
            body[name] = value
        elif isinstance(user_value, Mapping) and isinstance(value, Mapping):
            body[name] = {**value, **user_value}
    return body
