"""Copies, pickles and LangChain dumps of a model work and do not contain the key."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.load import dumpd, dumps, load
from pydantic import SecretStr

from langchain_kimi._openrouter.http.connection import Timeout
from langchain_kimi._openrouter.parameters.merging import wire_parameters
from langchain_kimi._openrouter.parameters.options import ProviderPreferences, Reasoning
from langchain_kimi._openrouter.parameters.plugins import WebPlugin
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiAuthenticationError
from langchain_kimi.testing import Emulator
from tests.conftest import KEY
from tests.test_settings import LOADS, OTHER_KEY, holds_secret, planted

COPIES: dict[str, Callable[[ChatKimi], ChatKimi]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": ChatKimi.model_copy,
    "deep model_copy": lambda model: model.model_copy(deep=True),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_keep_the_key_and_share_the_clients(how: str) -> None:
    with Emulator() as openrouter, httpx.Client() as client:
        model = planted(base_url=openrouter.base_url, http_client=client, provider={"order": ["moonshotai"]})
        model.invoke("hi")
        other = COPIES[how](model)
        assert other == model
        assert other is not model
        assert other.http_client is client
        other.invoke("hi")
        assert [request.sent_key(KEY) for request in openrouter.requests] == [True, True]
        assert openrouter.bodies[0] == openrouter.bodies[1]


def test_deepcopy_of_a_list_of_models() -> None:
    with httpx.Client() as client:
        first, second = copy.deepcopy([planted(http_client=client)] * 2)
        assert first is second
        assert first.http_client is client


@pytest.mark.covered
@pytest.mark.parametrize(
    "update",
    [
        {"api_key": OTHER_KEY},
        {"openrouter_api_key": OTHER_KEY},
        {"api_key": SecretStr(OTHER_KEY)},
    ],
)
def test_a_copy_with_another_key_never_sends_the_old_one(update: dict[str, Any]) -> None:
    with Emulator() as openrouter:
        model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
        model.invoke("hi")
        model.model_copy(update=update).invoke("hi")
        model.invoke("hi")
        assert [request.sent_key(OTHER_KEY) for request in openrouter.requests] == [False, True, False]
        assert [request.sent_key(KEY) for request in openrouter.requests] == [True, False, True]


def test_a_copy_accepts_the_names_of_the_constructor() -> None:
    update = {"model": "moonshotai/kimi-k2.5", "timeout": 5, "stop_sequences": ["a"]}
    model = planted().model_copy(update=update)
    assert (model.model_name, model.request_timeout, model.stop) == ("moonshotai/kimi-k2.5", 5, ["a"])


def test_a_pickle_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    with httpx.Client() as client:
        model = planted(http_client=client, temperature=0.5, timeout=Timeout(idle=5), provider={"order": ["a"]})
        pickled = pickle.dumps(model)
    assert not holds_secret(pickled.decode("latin-1"))
    monkeypatch.setenv("OPENROUTER_API_KEY", OTHER_KEY)
    other = pickle.loads(pickled)  # noqa: S301 - it was made here
    assert other.openrouter_api_key == SecretStr(OTHER_KEY)
    assert (other.default_headers, other.http_client, other.http_async_client) == (None, None, None)
    assert wire_parameters(other) == wire_parameters(model)
    assert (other.request_timeout, other.metadata, other.profile) == (
        model.request_timeout,
        model.metadata,
        model.profile,
    )


def test_a_pickled_model_works_before_and_after_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    with Emulator() as openrouter:
        model = ChatKimi(base_url=openrouter.base_url)
        for _ in range(2):
            bound = pickle.loads(pickle.dumps(model.bind(temperature=0.5)))  # noqa: S301 - it was made here
            bound.invoke("hi")
            model.invoke("hi")
        assert [sent.get("temperature") for sent in openrouter.bodies] == [0.5, None, 0.5, None]


def test_a_model_unpickled_without_a_key_raises_when_called() -> None:
    with Emulator() as openrouter:
        other = pickle.loads(pickle.dumps(ChatKimi(api_key=KEY, base_url=openrouter.base_url)))  # noqa: S301 - it was made here
        assert other.openrouter_api_key is None
        for ask in (lambda: other.invoke("hi"), lambda: list(other.stream("hi"))):
            with pytest.raises(KimiAuthenticationError, match=r"pass api_key=\.\.\. or set OPENROUTER_API_KEY"):
                ask()
        assert openrouter.requests == []


# langchain-core marks what it loads with as beta, with a warning once in a process.
@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_dump_can_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    model = ChatKimi(
        model="moonshotai/kimi-k2.5",
        base_url="https://example.com/v1",
        timeout=Timeout(idle=5),
        temperature=0.5,
        provider=ProviderPreferences(order=["moonshotai"]),
        reasoning=Reasoning(effort="low"),
        plugins=[WebPlugin(max_results=3)],
        model_kwargs={"brand_new": 1},
    )
    dumped = dumps(model)
    assert "not_implemented" not in dumped
    assert not holds_secret(dumped)
    assert load(dumpd(model), **LOADS) == model


@pytest.mark.parametrize("name", ["openrouter_api_key", "api_key"])
def test_the_key_is_a_secret_in_dumps(name: str) -> None:
    dumped = dumpd(ChatKimi(**{name: KEY}))
    assert dumped["kwargs"]["openrouter_api_key"] == {"lc": 1, "type": "secret", "id": ["OPENROUTER_API_KEY"]}
