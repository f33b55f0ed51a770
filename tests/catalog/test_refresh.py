"""The changes by `refresh`: in this model, in other models of the process, and in later processes."""

from pathlib import Path

import httpx
import pytest

from langchain_kimi import ChatKimi
from langchain_kimi._kimi import facts
from langchain_kimi._kimi.facts import DIRECTORY_VARIABLE
from langchain_kimi.errors import KimiConnectionError, KimiUsageError
from langchain_kimi.testing import Emulator
from tests.catalog.serving import URL, Server, data
from tests.conftest import KEY

K4 = "moonshotai/kimi-k4"
PRICES = {"prompt": "0.000002", "completion": "0.000004"}
ROW = {"id": K4, "context_length": 5000, "pricing": PRICES, "created": 1_790_000_000, "supported_parameters": ["tools"]}
DEAR = {"tag": "dear", "pricing": {"prompt": "0.000003", "completion": "0.000009"}}


def model_of(server: Server, **settings: object) -> ChatKimi:
    client = httpx.Client(transport=httpx.MockTransport(server))
    arguments = {"api_key": KEY, "base_url": URL, "http_client": client, "max_retries": 0, **settings}
    return ChatKimi.model_validate(arguments)


def test_an_unheard_of_kimi_warns_once_and_has_a_profile_after_refresh() -> None:
    server = Server(data([ROW]), data({"id": K4, "endpoints": [DEAR]}))
    with pytest.warns(UserWarning, match="newer than the list of models"):
        model = model_of(server, model=K4)
    # A second one does not warn; warnings are errors here.
    other = model_of(server, model=K4)
    assert vars(model)["profile"] is None
    assert model.request_body("Hello.")["model"] == K4
    with pytest.raises(KimiUsageError, match="are unknown"):
        model.estimate_cost("Hello.")
    refreshed = model.refresh()
    assert (refreshed.models, refreshed.source, refreshed.file) == ((K4,), f"{URL}models", None)
    assert model.profile is not None
    assert model.profile["max_input_tokens"] == 5000
    estimate = other.estimate_cost("Hello.", max_tokens=1_000_000)
    assert estimate.source == refreshed.source
    assert estimate.date == refreshed.date
    assert estimate.max_cost == pytest.approx(9, abs=0.01)


def test_a_profile_of_the_user_stays() -> None:
    server = Server(data([ROW]), data({"id": K4, "endpoints": []}))
    model = model_of(server, model=K4, profile={"max_input_tokens": 7})
    model.refresh()
    assert model.profile == {"max_input_tokens": 7}


async def test_it_works_against_a_server_and_asynchronously(
    openrouter: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    model = ChatKimi(api_key=KEY, base_url=openrouter.base_url, models=["moonshotai/kimi-k3"])
    refreshed = await model.arefresh()
    assert "moonshotai/kimi-k2.6" in refreshed.models
    assert refreshed.file == tmp_path / "facts.json"
    paths = [request.path.removeprefix("/api/v1/models") for request in openrouter.requests]
    assert paths == ["", "/moonshotai/kimi-k2-0905/endpoints", "/moonshotai/kimi-k3/endpoints"]
    facts.forget()
    assert ChatKimi(api_key=KEY).estimate_cost("Hello.").source == f"{openrouter.base_url}/models"


def test_a_failed_refresh_changes_nothing() -> None:
    model = model_of(Server(httpx.ConnectError("refused")))
    with pytest.raises(KimiConnectionError):
        model.refresh()
    assert facts.current()["models"] == {}


def test_a_directory_that_cannot_be_written_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "file" / "folder"))
    catalog = model_of(Server(data([]))).catalog()
    with pytest.warns(UserWarning, match="could not be kept"):
        assert catalog.refresh("@preset/x").file is None


def test_the_constructor_and_calls_fetch_nothing(openrouter: Emulator, model: ChatKimi) -> None:
    model.invoke("Hello.")
    assert {request.path for request in openrouter.requests} == {"/api/v1/chat/completions"}
