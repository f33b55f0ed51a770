"""What a ChatKimi can be told: its fields, the environment behind them, and their checks."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import FrameType
from typing import Annotated, Any, Literal, Self

from langchain_core.utils import from_env, secret_from_env
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    SkipValidation,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._kimi.repairs import chosen_repairs
from langchain_kimi._kimi.tools import load_validator
from langchain_kimi._openrouter.http.connection import BASE_URL, MOST_CONNECTIONS, Connection, Timeout
from langchain_kimi._openrouter.http.endpoint import (
    Proxy,
    Verify,
    attribution_headers,
    check_base_url,
    check_header,
    keeps_secrets,
    request_headers,
)
from langchain_kimi._openrouter.parameters.merging import OTHER_NAMES, RequestParameters
from langchain_kimi._openrouter.parameters.rules import text
from langchain_kimi._openrouter.retries import Retries, number_of_attempts
from langchain_kimi.errors import KimiAuthenticationError, KimiUsageError


class RepairSettings(BaseModel, defer_build=True):
    """The settings of a model that mends what Kimi and its hosts get wrong."""

    repairs: Literal["all", "none"] | bool | list[str] = "all"
    """Which of Kimi's and its hosts' mishaps are mended: all, none, or those that are named. The names are in
    `langchain_kimi._kimi.repairs`; `"orphans"` is only done where it is named, as in `["all", "orphans"]`."""

    validate_tool_calls: bool = False
    """Whether calls are held against the schemas of their tools; those that do not fit, or name no tool on offer,
    become invalid calls. Needs the extra `validation`."""

    retry_empty: int = Field(default=0, ge=0)
    """How many times an answer with nothing in it, which is billed all the same, is asked again, besides `max_retries`;
    after that, and by default at once, it is a `KimiEmptyReplyError`. How often it was is told by the answer that came,
    in `response_metadata["kimi"]["empty_answers"]`."""

    @field_validator("repairs", mode="before")
    @classmethod
    def _check_repairs(cls, value: Any) -> Any:
        chosen_repairs(value)
        return "all" if value is None else sorted(value) if isinstance(value, set | frozenset | tuple) else value

    @field_validator("validate_tool_calls")
    @classmethod
    def _check_validation(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic gives the value like this
        if value:
            load_validator()
        return value

    def repair_options(self, call_ids: Callable[[], frozenset[str]]) -> RepairOptions:
        """Say what is done to a reply; `call_ids` gives the ids of the calls in its conversation."""
        return RepairOptions(chosen_repairs(self.repairs), call_ids, self.validate_tool_calls)


DEFAULT_MODEL = "moonshotai/kimi-k2-0905"
MOST_CATEGORIES = 2
LONGEST_CATEGORY = 30
NO_KEY = "There is no key for OpenRouter: pass api_key=... or set OPENROUTER_API_KEY."
NO_PARAMETERS = {
    "stream": "call .stream(), or pass streaming=True",
    "messages": "they are what a call is given",
    "client": "pass an HTTP client as http_client or http_async_client",
}
"""What would break each request if it was sent as a parameter, and what to do instead."""

PARAMETER_NAMES = frozenset({*RequestParameters.model_fields, *OTHER_NAMES})
STAYS_HERE = ("openrouter_api_key", "default_headers", "proxy", "http_client", "http_async_client")
"""Fields that are never pickled: they are secret, or cannot be."""

_key_of_environment = secret_from_env("OPENROUTER_API_KEY", default=None)


class KimiSettings(RequestParameters, RepairSettings):
    """The settings of a model; the parameters of a request are among them (see `RequestParameters`)."""

    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True, defer_build=True)

    model_name: str = Field(default=DEFAULT_MODEL, alias="model", min_length=1)
    """Any OpenRouter slug: with variants (`:exacto`, `:nitro`), dated, an alias (`~moonshotai/kimi-latest`), a preset
    (`@preset/...`)."""

    openrouter_api_key: SecretStr | None = Field(default_factory=_key_of_environment, alias="api_key")
    """The key; without it the environment's `OPENROUTER_API_KEY`. It is never serialized, and never pickled: where a
    pickle is opened it is read from the environment again."""

    openrouter_api_base: str = Field(
        default_factory=from_env("OPENROUTER_API_BASE", default=""), alias="base_url", validate_default=True
    )
    """Where the API is; without it the environment's `OPENROUTER_API_BASE`, else OpenRouter."""

    allow_insecure_http: bool = False
    """Whether `base_url` may be plain http on another machine than this one; the key then travels unencrypted."""

    app_url: str | None = Field(default_factory=from_env("OPENROUTER_APP_URL", default=None))
    """The URL of your app, for OpenRouter's attribution (`HTTP-Referer`); sent only if set."""

    app_title: str | None = Field(default_factory=from_env("OPENROUTER_APP_TITLE", default=None))
    """The name of your app, for OpenRouter's attribution (`X-OpenRouter-Title`); sent only if set."""

    app_categories: list[str] | None = None
    """At most two of OpenRouter's marketplace categories, each at most 30 characters, such as `cli-agent`."""

    session_id: Annotated[str | None, text(256)] = Field(
        default_factory=from_env("OPENROUTER_SESSION_ID", default=None), validate_default=True
    )
    """Groups requests, and keeps a conversation at one provider for its cache; at most 256 characters."""

    request_timeout: Annotated[float | Timeout | dict[str, float | None] | None, SkipValidation] = Field(
        default=None, alias="timeout"
    )
    """Seconds without content before a call is given up (120), or `{"connect": 10, "idle": 120, "total": None}`."""

    max_retries: int = Field(default=2, ge=0)
    """How many further attempts a call is given after the first; none once content was handed out."""

    streaming: bool = False
    """Whether `invoke` streams inside; given as False it also switches `stream` off, as in all LangChain models."""

    stream_usage: bool = True
    """Whether a stream's last chunk carries `usage_metadata`."""

    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Parameters that are newer than this package; sent as they are."""

    default_headers: Mapping[str, str] | None = Field(default=None, exclude=True, repr=False)
    """Further headers of every request. They win over ours, whatever their case; they are never serialized."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.Client` (or `httpx2.Client`) of your own for sync calls: used as it is, never closed or copied."""

    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.AsyncClient` (or `httpx2.AsyncClient`) of your own for async calls: used likewise."""

    verify: Verify = Field(default=True, exclude=True, repr=False)
    """Whose certificates are trusted, sync and async alike: the usual ones or those of `SSL_CERT_FILE` (True), those
    in a file or directory, those of an `ssl.SSLContext`, or anybody's (False: then anybody can read the key)."""

    proxy: Proxy = Field(default=None, exclude=True, repr=False)
    """The URL of a proxy, sync and async alike; without it `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment
    count. Since it may hold a password it is never serialized and never pickled."""

    max_connections: int = Field(default=MOST_CONNECTIONS, ge=1, exclude=True, repr=False)
    """How many connections models with the same settings open at most (async: on one event loop). Calls beyond wait in
    order, no longer than the connect time-out."""

    @model_validator(mode="before")
    @classmethod
    def _gather_model_kwargs(cls, given: Any) -> Any:
        """Take what no field is called by into `model_kwargs`, with a warning, as ChatOpenRouter does."""
        if not isinstance(given, dict):
            return given
        known = {*cls.model_fields, *_aliases(cls), *OTHER_NAMES}
        extra = dict(given.get("model_kwargs") or {})
        # ChatOpenRouter's users put there what it has no field for.
        moved = {name: extra.pop(name) for name in PARAMETER_NAMES & (extra.keys() - given.keys())}
        if misplaced := sorted(known & set(extra)):
            raise ValueError(f"{', '.join(misplaced)}: give these as arguments of their own, not in model_kwargs.")
        unknown = {name: value for name, value in given.items() if name not in known}
        if twice := sorted(unknown.keys() & extra):
            raise ValueError(f"{', '.join(twice)}: given twice, as an argument and in model_kwargs.")
        extra |= unknown
        if wrong := [f"{name} is no parameter: {instead}." for name, instead in NO_PARAMETERS.items() if name in extra]:
            raise ValueError(" ".join(wrong))
        for name in unknown:
            warnings.warn(
                f"{name} is no parameter that this package knows; it goes to model_kwargs and is sent as it is.",
                stacklevel=_depth_of_construction(),
            )
        return {**moved, **{name: value for name, value in given.items() if name in known}, "model_kwargs": extra}

    @field_validator("request_timeout", mode="before")
    @classmethod
    def _check_timeout(cls, value: Any) -> Any:
        limits = Timeout.of(value)
        if isinstance(value, int | float):
            return limits.idle
        # LangChain serializes plain values only.
        return asdict(limits) if isinstance(value, Timeout) else value

    @field_validator("openrouter_api_base", mode="before")
    @classmethod
    def _check_base(cls, value: Any) -> Any:
        if value is None or value == "":
            return BASE_URL
        if isinstance(value, str):
            check_base_url(value)
            return value.strip()
        return value

    @field_validator("app_categories")
    @classmethod
    def _check_categories(cls, value: list[str] | None) -> list[str] | None:
        if value and (len(value) > MOST_CATEGORIES or any(len(one) > LONGEST_CATEGORY for one in value)):
            raise ValueError("app_categories takes at most 2 categories of at most 30 characters each.")
        return value

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if not self._key:
            raise ValueError(NO_KEY)
        if self.streaming and self.n > 1:
            raise ValueError("n must be 1 when streaming.")
        if not (self.allow_insecure_http or keeps_secrets(self.openrouter_api_base)):
            raise ValueError(
                "base_url is plain http on another machine: the key would travel unencrypted. "
                "Use https, or pass allow_insecure_http=True."
            )
        for name, value in {"Authorization": self._key, **self.attribution(), **(self.default_headers or {})}.items():
            check_header(name, value)
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _repeat_nothing(cls, given: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Keep what was given, the key among it, out of the details of a `ValidationError`."""
        try:
            return handler(given)
        except ValidationError as error:
            details = [
                InitErrorDetails(type=PydanticCustomError(one["type"], one["msg"]), loc=one["loc"], input="(hidden)")
                for one in error.errors(include_url=False, include_context=False, include_input=False)
            ]
            raise ValidationError.from_exception_data(error.title, details, hide_input=True) from None

    def __getstate__(self) -> dict[Any, Any]:
        """Give what is pickled: everything but the key, the headers and the HTTP clients."""
        state = super().__getstate__()
        # A TLS context cannot be pickled; a path can.
        stays = STAYS_HERE if isinstance(self.verify, bool | str) else (*STAYS_HERE, "verify")
        return {**state, "__dict__": {k: v for k, v in state["__dict__"].items() if k not in stays}}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Take up what was pickled, and the key of the environment; without one, calls raise."""
        here = {**dict.fromkeys(STAYS_HERE), "openrouter_api_key": _key_of_environment()}
        super().__setstate__({**state, "__dict__": {"verify": True, **state["__dict__"], **here}})

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy everything but the HTTP clients and the TLS context, which are used by both."""
        memo = {} if memo is None else memo
        for shared in (self.http_client, self.http_async_client, self.verify):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the model; `update` takes the constructor's names, so that a new `api_key` replaces the old one."""
        names = {**_aliases(type(self)), **OTHER_NAMES}
        changes = {names.get(name, name): value for name, value in (update or {}).items()}
        if isinstance(key := changes.get("openrouter_api_key"), str):
            changes["openrouter_api_key"] = SecretStr(key)
        return super().model_copy(update=changes, deep=deep)

    @property
    def model(self) -> str:
        """The same as `model_name`."""
        return self.model_name

    @property
    def _key(self) -> str:
        return self.openrouter_api_key.get_secret_value() if self.openrouter_api_key else ""

    def attribution(self) -> dict[str, str]:
        """Give the headers by which OpenRouter attributes requests to an app."""
        return attribution_headers(self.app_url, self.app_title, self.app_categories)

    def headers(self, extra: Mapping[str, str] | None = None, *, streamed: bool) -> dict[str, str]:
        """Give the headers of a request: those of the call win over `default_headers`, and both over ours.

        Raises:
            KimiAuthenticationError: there is no key.
            KimiUsageError: one of the call's headers cannot be sent.
        """
        if not self._key:
            raise KimiAuthenticationError(NO_KEY, advice="A model that comes from a pickle has none of its own.")
        try:
            for name, value in (extra or {}).items():
                check_header(name, value)
        except (ValueError, AttributeError) as problem:
            raise KimiUsageError(f"extra_headers must be texts by their names. {problem}") from None
        replaced = {name.lower() for name in extra or {}}
        kept = {name: value for name, value in (self.default_headers or {}).items() if name.lower() not in replaced}
        return request_headers(self._key, self.attribution(), {**kept, **(extra or {})}, streamed=streamed)

    def connection(self, timeout: Any = None) -> Connection:
        """Say where calls go and how long they may take; `timeout` is a call's own."""
        return Connection(
            base_url=self.openrouter_api_base,
            timeout=Timeout.of(self.request_timeout if timeout is None else timeout),
            http_client=self.http_client,
            http_async_client=self.http_async_client,
            **{name: getattr(self, name) for name in ("verify", "proxy", "max_connections")},
        )

    def retries(self, limit: Any = None, empty_limit: Any = None) -> Retries:
        """Say how often a failed call and an empty answer are asked again; the limits are a call's own.

        Raises:
            KimiUsageError: one of them is no number of attempts.
        """
        return Retries(
            number_of_attempts("max_retries", self.max_retries if limit is None else limit),
            number_of_attempts("retry_empty", self.retry_empty if empty_limit is None else empty_limit),
        )


def _aliases(cls: type[KimiSettings]) -> dict[str, str]:
    return {field.alias: name for name, field in cls.model_fields.items() if field.alias}


def _depth_of_construction() -> int:
    """Give the caller's `stacklevel` for a warning that points at the line that constructs a model or a subclass."""
    depth, frame = 0, inspect.currentframe()
    while frame is not None and _constructs(frame):
        depth, frame = depth + 1, frame.f_back
    return depth


def _constructs(frame: FrameType) -> bool:
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    if package in {"langchain_kimi", "langchain_core", "pydantic"}:
        return True
    return frame.f_code.co_name == "__init__" and isinstance(frame.f_locals.get("self"), KimiSettings)
