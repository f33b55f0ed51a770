"""Remove secrets from errors: values of request headers, passwords of URLs, and anything that looks like an API key.

A server, a proxy or a provider may repeat the request in its error. Errors are printed, logged, pickled and traced, so
`Redactor` is applied to each error before it is raised.
"""

import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from langchain_kimi._openrouter.secret_forms import SecretForms
from langchain_kimi._patterns import lazy_pattern
from langchain_kimi.errors import KimiError, RawReply

MIN_SECRET_LENGTH = 8
"""In characters. Shorter values of headers are ordinary words, whose removal would make texts unreadable."""
REPLACEMENT = "[redacted]"
_MAX_DEPTH = 64
_MIN_PATH_KEY = 16
"""The minimum length of a segment of a URL's path that counts as a key if it has a digit."""
_DIGIT = lazy_pattern(r"\d")
_PUBLIC_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "http-referer", "user-agent"}
    | {"x-openrouter-title", "x-title"}
)
"""Request headers whose values are not secrets."""
_KEY_LIKE = lazy_pattern(
    # The prefixes of OpenRouter, OpenAI, Anthropic, Moonshot and DeepSeek (sk-); Groq; xAI; NVIDIA; Perplexity;
    # Hugging Face; Replicate; Together; Fireworks; GitHub; Google; AWS.
    r"\b(?:sk|gsk|xai|nvapi|pplx|hf|r8|tgp|fw|gh[pousr]|github_pat)[-_][A-Za-z0-9_\-]{12,}"
    # Shorter keys, and prefixes that are also words: with a digit. The bound keeps the search linear.
    r"|\b(?:sk|pk|rk|key|pat|fw|gsk|csk|vck|xai|nvapi|hf|ghp|glpat|r8|tgp)[-_](?=[A-Za-z_\-]{0,64}\d)[A-Za-z0-9_\-]{8,}"
    r"|\bAIza[A-Za-z0-9_\-]{20,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    # Ids of accounts and organizations.
    r"|(?<![A-Za-z0-9])(?:user|org|acct|workspace|proj)[_-](?=[a-z]{0,64}[0-9A-Z])[A-Za-z0-9]{8,}"
    # JSON web tokens.
    r"|\beyJ[A-Za-z0-9_\-]{8,512}+\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?"
)
_BEARER = lazy_pattern(r"\b(bearer|basic)(\s{1,4}|%20)[A-Za-z0-9+/._~=\-]{8,}", re.IGNORECASE)
SECRET_NAME = lazy_pattern(r"key|token|secret|auth|sig|password|credential|code", re.IGNORECASE)
"""Names of headers and of parameters whose values are secrets."""
_URL_PASSWORD = lazy_pattern(r"://[^\s/@:]{0,256}:[^\s/@]{1,256}@")
_URL_PARAMETER = lazy_pattern(
    r"([?&][\w-]{0,32}(?:key|token|secret|password|sig|signature)=)[^&\s\"'<>]+", re.IGNORECASE
)


class Redactor:
    """Replace secrets in texts, JSON values and errors.

    Args:
        secrets: The texts to remove; those shorter than `MIN_SECRET_LENGTH` are ignored.
        replacement: The text that replaces them.
    """

    def __init__(self, secrets: Iterable[str] = (), replacement: str = REPLACEMENT) -> None:
        self._replacement = replacement
        # The longest first, because one secret may contain another.
        distinct = sorted({secret.strip() for secret in secrets}, key=len, reverse=True)
        self._secrets = [SecretForms(secret) for secret in distinct if len(secret) >= MIN_SECRET_LENGTH]

    def text(self, text: str) -> str:
        """Return the text without secrets, and without anything that looks like one."""
        text = _KEY_LIKE.sub(self._replacement, self.without_own(text))
        text = _BEARER.sub(rf"\1\2{self._replacement}", text)
        text = _URL_PARAMETER.sub(rf"\1{self._replacement}", text)
        return _URL_PASSWORD.sub(f"://{self._replacement}@", text)

    def without_own(self, text: str) -> str:
        """Return the text without the secrets of the call."""
        for secret in self._secrets:
            text = secret.replaced(text, self._replacement)
        return text

    def message(self, message: Any) -> Any:
        """Return a message of the model without the secrets of the call, which the model or the server may repeat."""
        fields = {name: getattr(message, name) for name in _MESSAGE_FIELDS if hasattr(message, name)}
        changed = {
            name: self.value(value, change=self.text if name == "response_metadata" else self.without_own)
            for name, value in fields.items()
        }
        return message.model_copy(update={name: value for name, value in changed.items() if value != fields[name]})

    def value(self, value: Any, depth: int = _MAX_DEPTH, change: Callable[[str], str] | None = None) -> Any:
        """Return a JSON value without secrets, in its keys and its values."""
        change = change or self.text
        if isinstance(value, str):
            return change(value)
        if isinstance(value, Mapping):
            if not depth:
                return {}
            return {self.value(key, depth, change): self.value(item, depth - 1, change) for key, item in value.items()}
        # Named tuples, as in the errors of aiohttp, are not changed.
        if type(value) in {list, tuple}:
            return type(value)(self.value(item, depth - 1, change) for item in value) if depth else type(value)()
        return value

    def error(self, error: KimiError) -> None:
        """Remove the secrets from an error, from its notes and from the exceptions that caused it."""
        error.reason = self.text(error.reason)
        error.update(
            **{name: self.value(getattr(error, name)) for name in _TEXTS},
        )
        if error.partial is not None:
            error.update(partial=self.message(error.partial))
        if (response := error.response) is not None:
            headers = {self.text(name): self.text(value) for name, value in response.headers.items()}
            error.update(response=RawReply(response.status_code, headers, self.text(response.text)))
        for cause in _causes(error):
            self._exception(cause)
        for exception in (error, *_causes(error)):
            _clear_frames(exception.__traceback__)

    def _exception(self, exception: BaseException) -> None:
        """Remove the secrets from the message of another library's exception and from the request attached to it."""
        exception.args = tuple(self.value(arg) for arg in exception.args)
        # `json.JSONDecodeError`, for example, keeps the whole document.
        texts = {name: self.text(value) for name, value in vars(exception).items() if isinstance(value, str)}
        vars(exception).update(texts)
        request = vars(exception).get("_request")
        headers: Any = getattr(request, "headers", None) or {}
        for name in list(headers):
            if name.lower() not in _PUBLIC_HEADERS:
                headers[name] = REPLACEMENT


_MESSAGE_FIELDS = (
    "content", "additional_kwargs", "response_metadata", "tool_calls", "invalid_tool_calls", "tool_call_chunks", "id"
)  # fmt: skip
_WITH_REQUESTS = frozenset(
    {"langchain_kimi", "httpx", "httpx2", "httpcore", "httpcore2", "h11", "aiohttp", "anyio", "ssl", "json"}
)
"""The packages in whose frames requests and replies are variables."""
_TEXTS = (
    "advice", "code", "error_type", "model", "provider", "raw", "metadata", "availability", "generation_id", "usage"
)  # fmt: skip
"""Attributes of an error whose values come from the server, beside its reason, its reply and the partial message."""


def secrets_of(headers: Mapping[str, str], *urls: str | None) -> list[str]:
    """Return the secrets of a request: the values of its headers, and the secrets in the URLs that it uses."""
    secrets = []
    for name, value in headers.items():
        if name.lower() not in _PUBLIC_HEADERS:
            # A scheme such as "Bearer" is not a part of the secret.
            secrets.append(value.rpartition(" ")[2] if name.lower().endswith("authorization") else value)
    for url in filter(None, urls):
        secrets += _secrets_in(url)
    return secrets


def _secrets_in(url: str) -> list[str]:
    """Return the password of a URL, and the parts of its path that look like keys."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return []
    keys = [part for part in parts.path.split("/") if len(part) >= _MIN_PATH_KEY and _DIGIT.search(part)]
    return [*keys, password, unquote(password)] if password else keys


def _clear_frames(trace: TracebackType | None) -> None:
    """Delete the local variables of frames that may contain the request or the text of the server.

    Crash reporters show the variables of each frame. Those of other frames are left alone: the context of an error may
    be an exception of the user's own program.
    """
    for frame, _ in traceback.walk_tb(trace):
        if str(frame.f_globals.get("__name__")).partition(".")[0] in _WITH_REQUESTS:
            # The frame of a running function cannot be cleared.
            with suppress(RuntimeError):
                frame.clear()


def _causes(error: BaseException) -> list[BaseException]:
    """Return the causes and contexts of an error, except the errors of its attempts, which are redacted already."""
    causes: list[BaseException] = []
    pending = [error.__cause__, error.__context__]
    while pending:
        cause = pending.pop()
        if cause is not None and cause is not error and not any(cause is seen for seen in causes):
            pending += [cause.__cause__, cause.__context__]
            if not isinstance(cause, KimiError):
                causes.append(cause)
    return causes
