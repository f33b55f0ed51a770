"""Fixtures for all tests: a clean environment, a planted key, and an emulated OpenRouter."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from _pytest.fixtures import SubRequest
from hypothesis import HealthCheck, Phase, settings
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS

from langchain_kimi import ChatKimi
from langchain_kimi._kimi.facts import DIRECTORY_VARIABLE, forget
from langchain_kimi._reply.messages import PROVIDER
from langchain_kimi.testing import Behavior, Emulator
from tests.interpreters import Interpreter, interpreter_in
from tests.rows import LONG, can_be_grouped, grouped, leave_out_long_rows
from tests.tracing import import_share, import_traced, is_of_the_emulator, stop_tracing, threads_traced, tracing

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


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--group-rows", action="store_true", help="run the rows of each table in few tests")
    parser.addoption("--transport", default="httpx", help="the default transport of all models in these tests")


def pytest_configure(config: pytest.Config) -> None:
    """Change the default transport, so that any test can be run on any of them, and let SIGINT interrupt tests.

    SIGINT is ignored in processes that a shell started in the background.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if (transport := config.getoption("--transport")) != "httpx":
        ChatKimi.model_fields["transport"].default = transport
        ChatKimi.model_rebuild(force=True)


# The environment of LiteLLM has no xdist.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one process more than there are processors, because some tests wait for time limits or other processes."""
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> list[pytest.Item] | None:
    """Group the rows of tables, if that is wanted and if they need no fixtures of their own."""
    if not (isinstance(collector, pytest.Module) and collector.istestfunction(obj, name)):
        return None
    if collector.config.getoption("markexpr") == f"not {LONG}":
        if LONG in {mark.name for mark in getattr(obj, "pytestmark", ())}:
            return []
        leave_out_long_rows(obj)
    if not (collector.config.getoption("--group-rows") and can_be_grouped(obj, collector.obj)):
        return None
    test = grouped(obj)
    # Items look their functions up by name.
    setattr(collector.obj, name, test)
    return [*collector._genfunctions(name, test)]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Trace tests and fixtures alone, and collect no garbage while tests are imported."""
    gc.disable()
    stop_tracing(session.config)
    import_share(session.config)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, object, object]:
    """Trace the import of tests, but not what pytest does with them."""
    if isinstance(collector, pytest.Module):
        import_traced(collector)
    return (yield)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests that wait: one process runs them, and the other ones use the processors meanwhile.

    xdist's first division of the tests keeps their order. Processes that have finished take over what others have left.
    """
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)


def pytest_collection_finish() -> None:
    """Exclude the objects created by imports from garbage collection, so that collections in tests are short."""
    gc.freeze()
    gc.enable()


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


@pytest.fixture(scope="module", autouse=True)
def short_collections() -> Iterator[None]:
    """Collect the garbage of a file, and exclude what it leaves from garbage collection.

    Modules, schemas and caches that tests create pile up in a process. Without this, each `gc.collect()` of a test
    searches all of them, which was seen to take 37 ms instead of 3.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's keys, proxies and tracing from the environment."""
    for name in unwanted(list(os.environ)):
        monkeypatch.delenv(name)
    # Facts that a developer refreshed must not affect tests either.
    monkeypatch.setenv(DIRECTORY_VARIABLE, "")
    forget()


# pytest-recording has two fixtures for each test. Only the folder `standard` needs them, and takes them back.
@pytest.fixture(scope="session")
def vcr() -> None:
    """Play no cassette."""


@pytest.fixture(scope="session")
def block_network() -> None:
    """Leave the network to pytest-socket."""


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interpreter]:
    """Return an interpreter that runs each program in a process of its own."""
    with interpreter_in(tmp_path_factory.mktemp("interpreter")) as running:
        yield running


@pytest.fixture
def no_translator() -> Iterator[None]:
    """Remove our content-block translator from LangChain's registry."""
    ours = PROVIDER_TRANSLATORS.pop(PROVIDER)
    yield
    PROVIDER_TRANSLATORS[PROVIDER] = ours


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Return an emulator, whose thread is traced only for its own tests."""
    with threads_traced(on=is_of_the_emulator(request.path)):
        emulator = Emulator()
    with emulator:
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
