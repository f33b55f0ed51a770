"""A SOCKS5 proxy with a user name and a password: calls pass through it, and nothing shows the password."""

import logging
import pickle
from urllib.parse import quote

import pytest
from langchain_core.load import dumps

from langchain_kimi.errors import KimiConnectionError, KimiError
from langchain_kimi.testing import Emulator, Reply
from tests.faults.socks import Refusal, socks_proxy
from tests.faults.test_secrets import Everything, texts_of
from tests.faults.ways import WAYS, ask, model_of

pytest.importorskip("socksio", reason="socksio is not installed")

USER, PASSWORD = "planted-user", "planted: p@ss/word"
SECRETS = (PASSWORD, quote(PASSWORD, safe=""), "p@ss", "p%40ss")


def url_of(port: int) -> str:
    return f"socks5://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{port}"


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("refusal", ["none", "methods", "login", "target", "reset", "repeats the login"])
@pytest.mark.parametrize("source", ["proxy", pytest.param("ALL_PROXY", marks=pytest.mark.long)])
def test_a_call_through_a_proxy_with_a_password_shows_it_nowhere(  # noqa: PLR0913 - the table's columns and fixtures
    openrouter: Emulator,
    *,
    source: str,
    refusal: Refusal,
    way: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    openrouter.script(Reply(text="Here."), times=None)
    handler = Everything()
    with socks_proxy(refusal) as proxy:
        if source == "ALL_PROXY":
            monkeypatch.setenv("ALL_PROXY", url_of(proxy.port))
            monkeypatch.setenv("NO_PROXY", "")
        settings = {"proxy": url_of(proxy.port)} if source == "proxy" else {}
        model = model_of(openrouter, max_retries=0, callbacks=[handler], **settings)
        outcome = ask(model, way)
        model.close()
    assert proxy.logins == ([] if refusal == "methods" else [(USER, PASSWORD)])
    texts = [*(record.getMessage() for record in caplog.records), *(repr(vars(record)) for record in caplog.records)]
    texts += [*handler.events, repr(model), str(model), dumps(model), pickle.dumps(model).decode("latin-1")]
    if refusal == "none":
        assert outcome.message
        assert outcome.message.text == "Here."
        assert proxy.targets == [openrouter.base_url.removeprefix("http://").partition("/")[0]]
    else:
        assert isinstance(outcome.error, KimiConnectionError)
        assert isinstance(outcome.error, KimiError)
        texts += [*texts_of(outcome.error), pickle.dumps(outcome.error).decode("latin-1")]
        assert openrouter.requests == []
    assert [secret for secret in SECRETS for text in texts if secret in text] == []


@pytest.mark.parametrize("way", WAYS)
def test_after_a_refused_login_the_next_call_works(openrouter: Emulator, way: str) -> None:
    openrouter.script(Reply(text="Here."), times=None)
    with socks_proxy("login") as proxy, model_of(openrouter, max_retries=0, proxy=url_of(proxy.port)) as model:
        error = ask(model, way).error
        assert isinstance(error, KimiConnectionError)
        assert "The proxy asks for a user name and a password" in error.advice
        proxy.refusal = "none"
        assert ask(model, way).error is None
