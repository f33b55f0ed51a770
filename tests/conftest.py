"""Fixtures for all tests: a clean environment, a planted key, and an emulated OpenRouter."""

import gc
import os
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from _pytest.fixtures import SubRequest
from hypothesis import HealthCheck, Phase, settings
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.facts import DIRECTORY_VARIABLE, forget
from langchain_kimi._reply.messages import PROVIDER
from langchain_kimi.testing import Behavior, Emulator

KEY = "planted-key-that-opens-nothing"
"""The API key of the models under test. If it appears in a message, a log or a pickle, it has leaked."""

# A developer's settings must not affect tests: a key would be sent, a proxy would block loopback connections,
# LangSmith's tracer would report every run to its server, and a vocabulary would replace estimates by counts.
_PREFIXES = ("OPENROUTER_", "LANGSMITH_", "LANGCHAIN_", "KIMI_TOKENIZER", "HF_", "HUGGINGFACE_", "XDG_CACHE_HOME")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

# Property tests are quick by default, and thorough with `--hypothesis-profile=long`. Slow examples are not failures.
# Only the long profile shrinks failing examples, because that can take minutes.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile(
    "quick",
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=SLOW,
)
settings.register_profile(
    "long",
    max_examples=3_000,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=SLOW,
)
settings.load_profile("quick")


def unwanted(names: list[str]) -> list[str]:
    """Return the names of the environment variables that are hidden from tests."""
    return [name for name in names if name.upper().startswith(_PREFIXES) or name.upper() in _PROXIES]


def pytest_collection_finish() -> None:
    """Exclude the objects created by imports from garbage collection, so that collections in tests are short."""
    gc.collect()
    gc.freeze()


# Coverage's trace function slows all Python code down by a factor of two to three, and most of the code around a short
# test is pytest's own. So it is active in tests and in the project's fixtures alone, and never in tests that are marked
# `uncovered`. Without coverage, or where it uses `sys.monitoring`, there is no trace function and nothing changes.
TRACE = pytest.StashKey[tuple[Any, Any]]()


@contextmanager
def tracing(item: pytest.Item, *, on: bool = True) -> Generator[None]:
    """Switch to coverage's trace function or to none; afterwards restore the previous one."""
    before = sys.gettrace(), threading.gettrace()
    functions = item.stash[TRACE] if on and not item.get_closest_marker("uncovered") else (None, None)
    sys.settrace(functions[0])
    threading.settrace(functions[1])
    try:
        yield
    finally:
        sys.settrace(before[0])
        threading.settrace(before[1])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Do not trace pytest itself."""
    item.stash[TRACE] = sys.gettrace(), threading.gettrace()
    with tracing(item, on=False):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Trace the test."""
    with tracing(pyfuncitem):
        return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: SubRequest) -> Generator[None, object, object]:
    """Trace the project's own fixtures. Those of plugins have no base directory."""
    with tracing(request._pyfuncitem, on=bool(fixturedef.baseid)):
        return (yield)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's keys, proxies and tracing from the environment."""
    for name in unwanted(list(os.environ)):
        monkeypatch.delenv(name)
    # Facts that a developer refreshed must not affect tests either.
    monkeypatch.setenv(DIRECTORY_VARIABLE, "")
    forget()


@pytest.fixture
def no_translator() -> Iterator[None]:
    """Remove our content-block translator from LangChain's registry."""
    ours = PROVIDER_TRANSLATORS.pop(PROVIDER)
    yield
    PROVIDER_TRANSLATORS[PROVIDER] = ours


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def openrouter(server: Emulator) -> Emulator:
    """Return the emulator that the tests of a file share, with an empty script."""
    server.clear()
    server.behavior = Behavior()
    return server


@pytest.fixture
def model(openrouter: Emulator) -> ChatKimi:
    """Return a model that uses the emulator, without retries."""
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
