"""What a ChatKimi can be told: its fields, the environment behind them, and their checks."""

import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from langchain_core.utils import from_env, secret_from_env
from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from langchain_kimi.openrouter.connection import BASE_URL, Connection, Timeout
from langchain_kimi.openrouter.headers import attribution_headers, check_header
from langchain_kimi.openrouter.parameters import OTHER_NAMES, RequestParameters
from langchain_kimi.openrouter.rules import text

DEFAULT_MODEL = "moonshotai/kimi-k2-0905"
MOST_CATEGORIES = 2
LONGEST_CATEGORY = 30


class KimiSettings(RequestParameters):
    """The settings of a model; the parameters of a request are among them (see `RequestParameters`)."""

    model_config = ConfigDict(populate_by_name=True, hide_input_in_errors=True)

    model_name: str = Field(default=DEFAULT_MODEL, alias="model", min_length=1)
    """Any OpenRouter slug: with variants (`:exacto`, `:nitro`), dated, an alias (`~moonshotai/kimi-latest`), a preset
    (`@preset/...`)."""

    openrouter_api_key: SecretStr | None = Field(
        default_factory=secret_from_env("OPENROUTER_API_KEY", default=None), alias="api_key"
    )
    """The key; without it the environment's `OPENROUTER_API_KEY`."""

    openrouter_api_base: str = Field(
        default_factory=from_env("OPENROUTER_API_BASE", default=BASE_URL), alias="base_url", min_length=1
    )
    """Where the API is; without it the environment's `OPENROUTER_API_BASE`, else OpenRouter."""

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

    request_timeout: float | Timeout | dict[str, float | None] | None = Field(default=None, alias="timeout")
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
    """Further headers of every request. They win over ours, whatever their case, and are never serialized."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.Client` (or `httpx2.Client`) of your own for sync calls: used as it is, never closed."""

    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An `httpx.AsyncClient` (or `httpx2.AsyncClient`) of your own for async calls: used as it is, never closed."""

    @model_validator(mode="before")
    @classmethod
    def _gather_model_kwargs(cls, given: Any) -> Any:
        """Take what no field is called by into `model_kwargs`, with a warning, as ChatOpenRouter does."""
        if not isinstance(given, dict):
            return given
        aliases = {field.alias for field in cls.model_fields.values() if field.alias}
        known = {*cls.model_fields, *aliases, *OTHER_NAMES}
        extra = dict(given.get("model_kwargs") or {})
        if misplaced := sorted(known & set(extra)):
            raise ValueError(f"{', '.join(misplaced)}: give these as arguments of their own, not in model_kwargs.")
        values = {}
        for name, value in given.items():
            if name in known:
                values[name] = value
                continue
            if name in extra:
                raise ValueError(f"{name} is given twice: as an argument and in model_kwargs.")
            warnings.warn(
                f"{name} is no parameter that this package knows; it goes to model_kwargs and is sent as it is.",
                stacklevel=2,
            )
            extra[name] = value
        return {**values, "model_kwargs": extra}

    @field_validator("request_timeout")
    @classmethod
    def _check_timeout(cls, value: Any) -> Any:
        Timeout.of(value)
        return value

    @field_validator("openrouter_api_base")
    @classmethod
    def _check_base(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("base_url must be an http or https URL, such as https://openrouter.ai/api/v1.")
        return value

    @field_validator("app_categories")
    @classmethod
    def _check_categories(cls, value: list[str] | None) -> list[str] | None:
        if value and (len(value) > MOST_CATEGORIES or any(len(one) > LONGEST_CATEGORY for one in value)):
            raise ValueError("app_categories takes at most 2 categories of at most 30 characters each.")
        return value

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if not (self.openrouter_api_key and self.openrouter_api_key.get_secret_value()):
            raise ValueError("There is no key for OpenRouter: pass api_key=... or set OPENROUTER_API_KEY.")
        if self.streaming and (self.n or 1) > 1:
            raise ValueError("n must be 1 when streaming.")
        key = {"Authorization": self.openrouter_api_key.get_secret_value()}
        for name, value in {**key, **self.attribution(), **(self.default_headers or {})}.items():
            check_header(name, value)
        return self

    @property
    def model(self) -> str:
        """The same as `model_name`."""
        return self.model_name

    def attribution(self) -> dict[str, str]:
        """Give the headers by which OpenRouter attributes requests to an app."""
        return attribution_headers(self.app_url, self.app_title, self.app_categories)

    def connection(self, timeout: Any = None) -> Connection:
        """Say where calls go and how long they may take; `timeout` is a call's own."""
        return Connection(
            base_url=self.openrouter_api_base,
            timeout=Timeout.of(self.request_timeout if timeout is None else timeout),
            http_client=self.http_client,
            http_async_client=self.http_async_client,
        )
