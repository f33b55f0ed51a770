"""What every test shares: an environment without keys, proxies or tracing, a planted key, and an OpenRouter to ask."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from langchain_core.messages.block_translators import PROVIDER_TRANSLATORS

from langchain_kimi import ChatKimi
from langchain_kimi._reply.messages import PROVIDER
from langchain_kimi.testing import Behavior, Emulator

KEY = "planted-key-that-opens-nothing"
"""The key that tests hand to a model: wherever it turns up later, in a message, a log or a pickle, it has leaked."""

# A developer's own settings must not reach a test: a key would be sent, a proxy would stand in the way of loopback,
# LangSmith's tracer would report every run to its server, and a vocabulary would count what is to be estimated.
_PREFIXES = ("OPENROUTER_", "LANGSMITH_", "LANGCHAIN_", "KIMI_TOKENIZER", "HF_", "HUGGINGFACE_", "XDG_CACHE_HOME")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

# The property tests look quickly, and for long with `--hypothesis-profile=long`.
# A slow machine is no failure, and neither is a test that needs more thought than others. What went wrong is told as it
# was found in the suite: making it smaller can take minutes, and is for the long run.
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
    """Those of the environment's names that a test must not see."""
    return [name for name in names if name.upper().startswith(_PREFIXES) or name.upper() in _PROXIES]


def pytest_collection_finish() -> None:
    """Leave what the imports have made out of the garbage collector, so that a collection in a test is a short one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the developer's keys, proxies and tracing out of the environment."""
    for name in unwanted(list(os.environ)):
        monkeypatch.delenv(name)


@pytest.fixture
def no_translator() -> Iterator[None]:
    """Take our content-block translator out of LangChain's register."""
    ours = PROVIDER_TRANSLATORS.pop(PROVIDER)
    yield
    PROVIDER_TRANSLATORS[PROVIDER] = ours


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def openrouter(server: Emulator) -> Emulator:
    """Give the emulator of all tests of a file, with nothing in its script."""
    server.clear()
    server.behavior = Behavior()
    return server


@pytest.fixture
def model(openrouter: Emulator) -> ChatKimi:
    """Give a model that asks it, once."""
    return ChatKimi(api_key=KEY, base_url=openrouter.base_url, max_retries=0)
