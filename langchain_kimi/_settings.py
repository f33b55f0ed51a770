"""The constructor arguments of ChatKimi, the environment variables behind them, and their checks."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, Literal, Self

from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import (
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

from langchain_kimi._constructor import ALIASES, DEFAULT_MODEL, Aliases, with_model_kwargs
from langchain_kimi._keys import KeyFunction, key_of_environment, plain_key
from langchain_kimi._kimi.repairs import chosen_repairs
from langchain_kimi._kimi.tools import load_validator
from langchain_kimi._openrouter import variables
from langchain_kimi._openrouter.host import OPENROUTER, Host, check_key, host_for, missing_key
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi._openrouter.http.connection import MOST_CONNECTIONS, Timeout, TimeoutSetting
from langchain_kimi._openrouter.http.endpoint import (
    Headers,
    Proxy,
    Verify,
    attribution_headers,
    check_base_url,
    check_encrypted,
    check_header,
)
from langchain_kimi._openrouter.http.transports import Transport, check_transport, import_clients
from langchain_kimi._openrouter.parameters.descriptions import with_descriptions
from langchain_kimi._openrouter.parameters.merging import OTHER_NAMES, RequestParameters
from langchain_kimi._openrouter.parameters.rules import UNCHECKED, text
from langchain_kimi._openrouter.retries import Retries, number_of_attempts
from langchain_kimi.errors import KimiUsageError

MOST_CATEGORIES, LONGEST_CATEGORY = 2, 30
ENDPOINT = "/chat/completions"
LONGEST_SESSION_ID = 256
PARAMETER_NAMES = frozenset({*RequestParameters.model_fields, *OTHER_NAMES})
LIMITER_ARGUMENTS = ("requests_per_second", "check_every_n_seconds", "max_bucket_size")
NOT_PICKLED = ("openrouter_api_key", "default_headers", "proxy", "http_client", "http_async_client")
"""Fields that are left out of pickles: they are secret, or cannot be pickled."""


@with_descriptions
class KimiSettings(RequestParameters, Aliases):
    """The settings of a model, including the parameters of its requests (see `RequestParameters`)."""

    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True, defer_build=True)

    model_name: str = Field(default=DEFAULT_MODEL, alias=ALIASES["model_name"], min_length=1)
    """The model's slug at OpenRouter. It may be a variant (`:exacto`, `:nitro`), a dated slug, an alias
    (`~moonshotai/kimi-latest`) or a preset (`@preset/...`)."""

    openrouter_api_key: SecretStr | str | SkipValidation[KeyFunction] | None = Field(
        default=None, alias=ALIASES["openrouter_api_key"]
    )
    """The API key, or a function that is called for the key of each call (an async function only works in async calls);
    by default the environment variable `OPENROUTER_API_KEY`, or that of the host. It is never serialized or pickled;
    an unpickled model reads the environment again."""

    openrouter_api_base: str | None = Field(default=None, alias=ALIASES["openrouter_api_base"])
    """The base URL of the API; by default the environment variable `OPENROUTER_API_BASE`, or that of the host."""

    host: Annotated[Host | str | dict[str, Any] | None, UNCHECKED] = None
    """The kind of server: a `Host`, or a name such as `openrouter`, `moonshot`, `vllm` or `llama.cpp` (the error for an
    unknown name lists all names); by default it follows from `base_url`. Other servers do not get OpenRouter's own
    fields."""

    allow_insecure_http: bool = False
    """Whether to allow a `base_url` with plain http on another machine, where the key is sent unencrypted."""

    request_timeout: Annotated[TimeoutSetting, UNCHECKED] = Field(default=None, alias=ALIASES["request_timeout"])
    """Seconds without content before a call fails (default 120), or `{"connect": 10, "idle": 120, "total": None}`."""

    max_retries: int = Field(default=2, ge=0)
    """The maximum number of retries after a failed attempt. A stream is not retried after its first chunk."""

    streaming: bool = False
    """Whether `invoke` streams internally. As in all LangChain models, an explicit False also turns off `stream`."""

    stream_usage: bool = True
    """Whether to request the usage of streams, which is the `usage_metadata` of the last chunk."""

    coalesce: bool = False
    """Whether to join the deltas that arrive in one network read into one chunk. This saves CPU time with providers
    that send many deltas at once. It does not delay any of them."""

    app_url: str | None = Field(default_factory=partial(variables.header_of, "OPENROUTER_APP_URL"))
    """The URL of your app for OpenRouter's attribution (`HTTP-Referer`); sent only if set."""

    app_title: str | None = Field(default_factory=partial(variables.header_of, "OPENROUTER_APP_TITLE"))
    """The name of your app for OpenRouter's attribution (`X-OpenRouter-Title`); sent only if set."""

    app_categories: list[str] | None = None
    """At most two of OpenRouter's marketplace categories, such as `cli-agent`, of at most 30 characters each."""

    session_id: Annotated[str | None, text(LONGEST_SESSION_ID)] = Field(
        default_factory=partial(variables.short_text_of, "OPENROUTER_SESSION_ID", LONGEST_SESSION_ID)
    )
    """An id that groups requests and keeps a conversation at one provider, for its cache; at most 256 characters."""

    auto_session: bool = False
    """Whether to derive a session id for requests without a `session_id` and a `prompt_cache_key`. It is a digest of
    the first system message and the first user message, so it is the same in every turn of a conversation. With
    `session_id=None` in a call, none is sent."""

    sticky_provider: bool = False
    """Whether to try the provider of the conversation's last turn first (`provider.order`), because its cache has the
    prompt. The others remain fallbacks. Preferences with `order`, `only` or `allow_fallbacks=False` are not changed. An
    order turns off OpenRouter's own sticky routing and load balancing, so use this for conversations that otherwise
    change providers."""

    repairs: Literal["all", "none"] | bool | list[str] | set[str] | frozenset[str] | tuple[str, ...] = "all"
    """Which provider and model quirks to repair: `"all"`, `"none"`, or a list of names; the documentation of the
    parameters describes each repair. `"all"` does not include `"orphans"`, but `["all", "orphans"]` does."""

    validate_tool_calls: bool = False
    """Whether to validate tool calls against the schemas of their tools. Calls that do not fit, or that name an unknown
    tool, become invalid tool calls. Needs the extra `validation`."""

    retry_empty: int = Field(default=0, ge=0)
    """Retries after an empty response, in addition to `max_retries`. Empty responses are billed. When the retries are
    exhausted, `KimiEmptyReplyError` is raised; the number of empty responses is in
    `response_metadata["kimi"]["empty_answers"]`."""

    check_context: bool = False
    """Whether to count each prompt before it is sent, and to raise `KimiContextOverflowError` if the prompt and
    `max_tokens` exceed the model's `max_input_tokens`. Without Kimi's vocabulary, the count is an estimate. Prompts of
    models without a known limit, and prompts that OpenRouter shortens, are always sent."""

    tokenizer_file: str | None = Field(default_factory=partial(variables.value_of, "KIMI_TOKENIZER"), exclude=True)
    """The path of Kimi's vocabulary, for exact token counts; by default the environment variable `KIMI_TOKENIZER`, or
    the cache of `huggingface_hub`, into which `python -m langchain_kimi tokenizer fetch` downloads it. Without a
    vocabulary, token counts are estimates."""

    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Parameters that are newer than this package. They are sent unchanged."""

    default_headers: Headers = Field(default=None, exclude=True, repr=False)
    """Additional headers for every request. They replace headers of the package, and are never serialized."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.Client` (or `httpx2.Client`) for sync calls. The model never closes or copies it."""

    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.AsyncClient` (or `httpx2.AsyncClient`) for async calls. The model never closes or copies it."""

    verify: Verify = Field(default=True, exclude=True, repr=False)
    """TLS verification, also of an HTTPS proxy: True (system CAs or `SSL_CERT_FILE`), a CA file or directory, an
    `ssl.SSLContext`, or False (insecure: the API key can be intercepted)."""

    proxy: Proxy = Field(default=None, exclude=True, repr=False)
    """The URL of a proxy; by default, the environment variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` apply. It may
    contain a password, so it is never serialized or pickled."""

    max_connections: int = Field(default=MOST_CONNECTIONS, ge=1, exclude=True, repr=False)
    """The maximum number of connections that models with the same settings open together (for async calls: per event
    loop). Further calls wait in order, for at most the connect timeout."""

    transport: Annotated[Transport, UNCHECKED] = Field(default="httpx", exclude=True, repr=False)
    """The package for connections: `"httpx"`, `"httptools"` (less CPU time for all calls) or `"aiohttp"` (less CPU time
    for async streams). The extras `httptools` and `aiohttp` install the packages. Calls through a proxy use httpx."""

    log_bodies: bool = False
    """Whether to log the body of each request, which contains the messages, to `langchain_kimi` at level DEBUG."""

    @model_validator(mode="before")
    @classmethod
    def _gather_model_kwargs(cls, arguments: Any) -> Any:
        """Move unknown arguments into `model_kwargs` with a warning, as ChatOpenRouter does."""
        if not isinstance(arguments, dict):
            return arguments
        names = {*cls.model_fields, *_aliases(cls), *OTHER_NAMES}
        return with_model_kwargs(arguments, names, PARAMETER_NAMES, KimiSettings)

    @field_validator("request_timeout", mode="before")
    @classmethod
    def _check_timeout(cls, value: Any) -> Any:
        limits = Timeout.of(value)
        if isinstance(value, int | float):
            return limits.idle
        # LangChain serializes plain values only.
        return value if value is None or isinstance(value, dict) else asdict(limits)

    @field_validator("openrouter_api_key", mode="before")
    @classmethod
    def _strip_key(cls, value: Any) -> Any:
        """Strip the white space that keys from `.env` files and clipboards come with."""
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        if isinstance(value, str):
            return SecretStr(variables.stripped(value))
        if value is None or callable(value):
            return value
        raise ValueError("api_key must be a text, a SecretStr, or a function that returns one of them.")

    @field_validator("openrouter_api_base", mode="before")
    @classmethod
    def _check_base(cls, value: Any) -> Any:
        if not value:
            return ""
        if isinstance(value, str):
            check_base_url(value := variables.stripped(value))
            base = value.rstrip("/")
            # Other clients take the URL of the endpoint.
            return base.removesuffix(ENDPOINT) if base.endswith(ENDPOINT) else value
        return value

    @field_validator("app_categories")
    @classmethod
    def _check_categories(cls, value: list[str] | None) -> list[str] | None:
        if value and (len(value) > MOST_CATEGORIES or any(len(one) > LONGEST_CATEGORY for one in value)):
            raise ValueError("app_categories must have at most 2 categories of at most 30 characters each.")
        return value

    @field_validator("repairs", mode="before")
    @classmethod
    def _check_repairs(cls, value: Any) -> Any:
        chosen_repairs(value)
        return "all" if value is None else sorted(value) if isinstance(value, set | frozenset | tuple) else value

    @field_validator("validate_tool_calls")
    @classmethod
    def _check_validation(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic passes the value like this
        if value:
            load_validator()
        return value

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        sources: dict[str, str] = {}
        try:
            self._use_environment(sources)
            self._check_combinations_of_settings()
        except ValueError as error:
            raise variables.about(sources, error) from None
        return self

    def _check_combinations_of_settings(self) -> None:
        if chosen_host(self).needs_key and not self.openrouter_api_key:
            variables.check_not_blank(chosen_host(self).key_variable)
            raise ValueError(missing_key(chosen_host(self)))
        if self.streaming and self.n > 1:
            raise ValueError("n must be 1 when streaming.")
        if not self.allow_insecure_http and (self.openrouter_api_key or self.default_headers):
            check_encrypted(self.openrouter_api_base or "")
        check_key(plain_key(self.openrouter_api_key))
        for name, value in {
            **attribution_headers(self.app_url, self.app_title, self.app_categories),
            **(self.default_headers or {}),
        }.items():
            check_header(name, value)

    def _use_environment(self, sources: dict[str, str]) -> None:
        """Set the base URL and the key that were not passed, by the environment and the host.

        Args:
            sources: A dict that receives the variables that were read, by setting.
        """
        base_url, variable = self.openrouter_api_base or "", None
        if not base_url and host_for(self.host, "") is OPENROUTER:
            sources["base_url"] = variables.BASE_URL
            base_url = self._check_base(variables.value_of(variables.BASE_URL))
            # The two variables belong together, whatever server the base URL is of.
            variable = OPENROUTER.key_variable
        host = host_for(self.host, base_url)
        values: dict[str, Any] = {"openrouter_api_base": base_url or host.base_url}
        if not (callable(self.openrouter_api_key) or plain_key(self.openrouter_api_key)):
            sources["api_key"] = host.key_variable or variable or ""
            values["openrouter_api_key"] = key_of_environment(sources["api_key"])
        # Not by assignment: fields that the user has not set stay unset.
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; settings are checked as in the constructor."""
        field = {**_aliases(type(self)), **OTHER_NAMES}.get(name, name)
        if field not in KimiSettings.model_fields:
            super().__setattr__(name, value)
            return
        derived = {"openrouter_api_key", "openrouter_api_base"} - self.model_fields_set
        # After a call, `__dict__` also has what langchain-core and subclasses cache there.
        names = type(self).model_fields.keys() - derived
        values = {name: one for name, one in self.__dict__.items() if name in names}
        checked = type(self).model_validate({**values, field: value})
        self.__dict__.update({name: checked.__dict__[name] for name in KimiSettings.model_fields})
        # The form of the settings in traces, which langchain-core makes once.
        self.__dict__.pop("_serialized", None)
        self.model_fields_set.add(field)

    @model_validator(mode="wrap")
    @classmethod
    def _hide_input(cls, arguments: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Keep the arguments, which include the key, out of the details of a `ValidationError`."""
        try:
            return handler(arguments)
        except ValidationError as error:
            details = [
                InitErrorDetails(type=PydanticCustomError(one["type"], one["msg"]), loc=one["loc"], input="(hidden)")
                for one in error.errors(include_url=False, include_context=False, include_input=False)
            ]
            raise ValidationError.from_exception_data(error.title, details, hide_input=True) from None

    def __getstate__(self) -> dict[Any, Any]:
        """Return the state without the key, the headers and the HTTP clients."""
        state = super().__getstate__()
        # A TLS context cannot be pickled; a path can.
        omitted = NOT_PICKLED if isinstance(self.verify, bool | str) else (*NOT_PICKLED, "verify")
        fields = {name: value for name, value in state["__dict__"].items() if name not in omitted}
        if isinstance(limiter := fields.get("rate_limiter"), InMemoryRateLimiter):
            # It has a lock, which cannot be pickled.
            fields["rate_limiter"] = partial(
                InMemoryRateLimiter, **{name: getattr(limiter, name) for name in LIMITER_ARGUMENTS}
            )
        return {**state, "__dict__": fields}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Restore a pickled state and read the key from the environment; without one, calls raise.

        An `InMemoryRateLimiter` starts again with an empty bucket.
        """
        fields = {"verify": True, **state["__dict__"], **dict.fromkeys(NOT_PICKLED)}
        if isinstance(limiter := fields.get("rate_limiter"), partial):
            fields["rate_limiter"] = limiter()
        super().__setstate__({**state, "__dict__": fields})
        self.__dict__["openrouter_api_key"] = key_of_environment(
            chosen_host(self).key_variable or OPENROUTER.key_variable
        )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy everything but the HTTP clients, the TLS context and the rate limiter, which both models use."""
        memo = {} if memo is None else memo
        for shared in (self.http_client, self.http_async_client, self.verify, self.__dict__.get("rate_limiter")):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the model. `update` takes the constructor's names, so that a new `api_key` replaces the old one."""
        names = {**_aliases(type(self)), **OTHER_NAMES}
        changes = {names.get(name, name): value for name, value in (update or {}).items()}
        if isinstance(key := changes.get("openrouter_api_key"), str):
            changes["openrouter_api_key"] = SecretStr(key)
        copied = super().model_copy(update=changes, deep=deep)
        copied.__dict__.pop("_serialized", None)
        return copied

    def _clock(self) -> Clock:
        """Return the source of time of a call."""
        return CLOCK

    def _retries(self, limit: Any = None, empty_limit: Any = None) -> Retries:
        """Return the retry rules of a call; the limits are the call's own.

        Raises:
            KimiUsageError: A limit is not an integer of at least 0.
        """
        return Retries(
            number_of_attempts("max_retries", self.max_retries if limit is None else limit),
            number_of_attempts("retry_empty", self.retry_empty if empty_limit is None else empty_limit),
        )


def _construct(self: KimiSettings, *arguments: Any, **keywords: Any) -> None:
    """Construct a model; a variable of the environment or a transport that cannot be used is a `KimiUsageError`."""
    try:
        super(KimiSettings, self).__init__(*arguments, **keywords)
    except variables.EnvironmentProblem as error:
        raise KimiUsageError(str(error)) from None
    check_transport(self.transport, http_client=self.http_client, http_async_client=self.http_async_client)
    import_clients(self.transport)


# Not in the class, where type checkers would take it for the signature instead of the fields.
setattr(KimiSettings, "__init__", _construct)  # noqa: B010 - type checkers forbid an assignment


def chosen_host(settings: KimiSettings) -> Host:
    """Return the host of a model's calls."""
    return host_for(settings.host, settings.openrouter_api_base or "")


for _name, _alias in ALIASES.items():
    if _alias == "api_key":
        # LangChain would dump the secret under both names.
        continue
    setattr(KimiSettings, _alias, property(attrgetter(_name), doc=f"Another name for `{_name}`."))


def _aliases(cls: type[KimiSettings]) -> dict[str, str]:
    return {field.alias: name for name, field in cls.model_fields.items() if field.alias}
