"""API keys from the environment, from the constructor, or from a function that is called for each call."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from pydantic import SecretStr

from langchain_kimi._openrouter.host import KEY_VARIABLES, Host, check_key, missing_key
from langchain_kimi._openrouter.variables import about, source_of, stripped, value_of
from langchain_kimi.errors import KimiAuthenticationError, KimiUsageError

KeyFunction: TypeAlias = Callable[[], str | SecretStr] | Callable[[], Awaitable[str | SecretStr]]
Key: TypeAlias = SecretStr | str | KeyFunction | None

_KEY_NAMES = ("api_key", "api_secret", "access_token", "password")


def is_key(name: str) -> bool:
    """Return whether an argument that is not a parameter seems to be a key, such as `openai_api_key` of ChatOpenAI."""
    return name.lower().endswith(_KEY_NAMES)


def key_of_environment(variable: str | None) -> SecretStr | None:
    """Return the key in an environment variable, or None if the variable is not set."""
    key = value_of(variable) if variable else None
    return SecretStr(key) if key else None


def plain_key(key: Key) -> str:
    """Return a key as text. It is empty without a key, and if the key is a function."""
    if isinstance(key, SecretStr):
        return key.get_secret_value()
    return key if isinstance(key, str) else ""


def resolve(key: Key, host: Host) -> str:
    """Return the key of a sync call.

    Raises:
        KimiAuthenticationError: There is no key, and the host needs one.
        KimiUsageError: The user's function is async, or does not return a key.
    """
    if not callable(key):
        return _checked(plain_key(key), host)
    value = key()
    if inspect.iscoroutine(value):
        value.close()
    if inspect.isawaitable(value):
        raise KimiUsageError("api_key is an async function, so only async calls can use it.", advice="Use ainvoke.")
    return _returned(value, host)


async def aresolve(key: Key, host: Host) -> str:
    """Return the key of an async call. A sync function runs in a thread; see `resolve`."""
    if not callable(key):
        return _checked(plain_key(key), host)
    if inspect.iscoroutinefunction(key):
        return _returned(await key(), host)
    value = await asyncio.to_thread(key)
    return _returned(await value if inspect.isawaitable(value) else value, host)


def _returned(value: object, host: Host) -> str:
    key = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(key, str):
        raise KimiUsageError(f"The api_key function returned {type(key).__name__} instead of a text.")
    return _checked(stripped(key), host)


def _checked(key: str, host: Host) -> str:
    if host.needs_key and not key:
        raise KimiAuthenticationError(missing_key(host), advice="A model that was pickled has lost its key.")
    try:
        check_key(key)
    except ValueError as error:
        # A model that was pickled reads the environment when it is unpickled.
        source = source_of(key, (host.key_variable, *KEY_VARIABLES))
        raise KimiUsageError(str(about({"api_key": source or ""}, error))) from None
    return key
