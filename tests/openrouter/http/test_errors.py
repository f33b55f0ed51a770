"""Errors of event loops and of aiohttp. `test_own_clients.py` tests the others over real sockets."""

import asyncio
import gc
import importlib
import warnings
from typing import Any, cast

import aiohttp
import httpx
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http.connection import Connection
from langchain_kimi._openrouter.http.errors import error_of, is_timeout, translated_loop_errors
from langchain_kimi.errors import KimiConnectionError, KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.chat.asking import Way, ask
from tests.conftest import KEY

WAYS: tuple[Way, ...] = ("ainvoke", "astream")


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("way", WAYS)
def test_a_users_own_client_on_another_loop(way: Way, library: str) -> None:
    own = importlib.import_module(library).AsyncClient()
    with Emulator() as openrouter:
        openrouter.script(Reply(text="Here."), times=None)
        model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, http_async_client=own, max_retries=2)
        with asyncio.Runner() as first, asyncio.Runner() as second:
            assert first.run(ask(model, way)).content == "Here."
            # The idle connection belongs to the first loop, which is closed.
            first.close()
            with pytest.raises(KimiUsageError, match=r"event loop.*Pass one client per event loop") as caught:
                second.run(ask(model, way))
        assert isinstance(caught.value.__cause__, RuntimeError)
    # The connection can no longer be closed, and Python warns about that.
    del own, model, caught
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.mark.parametrize("error", [RuntimeError("not ours"), httpx.StreamClosed()])
@pytest.mark.parametrize("own", [None, "a client"])
def test_errors_unrelated_to_event_loops_are_not_translated(error: RuntimeError, own: Any) -> None:
    if own and not isinstance(error, httpx.StreamError):
        pytest.skip("this error is translated")
    with pytest.raises(type(error)) as caught, translated_loop_errors(Connection(http_async_client=own)):
        raise error
    assert caught.value is cast("Any", error)


@pytest.mark.parametrize(
    ("error", "expected"), [(TimeoutError(), True), (httpx.ReadTimeout(""), True), (OSError(), False)]
)
def test_timeouts_of_the_client_are_recognized(error: Exception, *, expected: bool) -> None:
    assert is_timeout(error) is expected


def test_an_aiohttp_error_keeps_the_url_but_not_the_headers() -> None:
    url = URL("http://127.0.0.1:9/api")
    request = aiohttp.RequestInfo(url, "POST", CIMultiDictProxy(CIMultiDict(Authorization=KEY)), url)
    problem = aiohttp.ClientResponseError(request, (), status=400, message="bad")
    assert KEY in repr(problem)
    error = error_of(problem, Connection(), None)
    assert isinstance(error, KimiConnectionError)
    assert KEY not in f"{problem!r} {problem}"
    assert str(url) in str(problem)
