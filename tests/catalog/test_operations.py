"""The operations, by the sync and the async catalog, and without I/O."""

from typing import Any

import pytest

from langchain_kimi.catalog import operations
from langchain_kimi.catalog.operations import Get
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiMalformedReplyError,
    KimiNotFoundError,
    KimiUsageError,
)
from tests.catalog.serving import Ask, Server, data, refusal


async def test_models_are_listed_page_by_page_with_the_same_filters(ask: Ask) -> None:
    server = Server(data([{"id": "a"}, {"id": "b"}], total_count=3), data([{"id": "c"}], total_count=3))
    listed = await ask(server, "models", supported_parameters=["tools", "seed"], zdr=True, context=5, q=None, sort="x")
    assert [model.id for model in listed] == ["a", "b", "c"]
    filters = {"supported_parameters": "tools,seed", "zdr": "true", "context": "5", "sort": "x", "limit": "1000"}
    assert [dict(request.url.params) for request in server.requests] == [filters, {**filters, "offset": "2"}]


@pytest.mark.parametrize("value", [{"tools"}, frozenset(["tools"]), ("tools",), "tools"])
async def test_a_filter_can_be_any_collection(ask: Ask, value: Any) -> None:
    server = Server(data([]))
    await ask(server, "models", supported_parameters=value)
    assert server.requests[0].url.params["supported_parameters"] == "tools"


async def test_an_empty_page_ends_the_list(ask: Ask) -> None:
    server = Server(data([{"id": "a"}], total_count=9), data([], total_count=9))
    assert len(await ask(server, "models")) == 1
    assert len(server.requests) == 2


async def test_a_list_without_an_end_is_an_error(ask: Ask) -> None:
    page = [{"id": f"a/{number}"} for number in range(25_001)]
    server = Server(*(data(page, total_count=10**9) for _ in range(5)))
    with pytest.raises(KimiMalformedReplyError, match="100,000 rows"):
        await ask(server, "models")
    assert len(server.requests) == 4


async def test_a_missing_generation_is_requested_again(ask: Ask) -> None:
    server = Server(refusal(404), refusal(404), data({"id": "gen-1", "total_cost": 0.5}))
    assert (await ask(server, "generation", "gen-1")).total_cost == 0.5
    assert ask.slept == [0.25, 0.5]


@pytest.mark.parametrize(
    ("wait", "slept"),
    [(0, []), (0.1, [0.1]), (1, [0.25, 0.5, 0.25]), (5, [0.25, 0.5, 1.0, 2.0, 1.25])],
)
async def test_a_generation_that_stays_missing_is_an_error(ask: Ask, wait: float, slept: list[float]) -> None:
    server = Server(refusal(404, "Generation not found"))
    with pytest.raises(KimiNotFoundError, match="Generation not found"):
        await ask(server, "generation", "gen-1", wait=wait)
    assert ask.slept == slept
    assert len(server.requests) == len(slept) + 1


async def test_other_failures_are_not_retried(ask: Ask) -> None:
    with pytest.raises(KimiAuthenticationError):
        await ask(Server(refusal(401)), "generation", "gen-1")
    assert ask.slept == []


@pytest.mark.parametrize("slug", ["kimi-k2", "a/b/c", ""])
async def test_an_invalid_slug_is_refused_before_sending(ask: Ask, slug: str) -> None:
    server = Server(data({}))
    with pytest.raises(KimiUsageError, match="author/name"):
        await ask(server, "endpoints", slug)
    assert server.requests == []


@pytest.mark.parametrize(
    ("slug", "advice"),
    [
        ("moonshotai/kimi-k26", "Did you mean moonshotai/kimi-k2.6"),
        ("somebody/entirely-different", "No listed model has a similar name"),
    ],
)
async def test_an_unknown_model_names_the_nearest(ask: Ask, slug: str, advice: str) -> None:
    server = Server(refusal(404, "Model not found"), data([{"id": "moonshotai/kimi-k2.6"}, {"id": "a/b"}]))
    with pytest.raises(KimiNotFoundError, match=advice) as caught:
        await ask(server, "endpoints", slug)
    assert caught.value.model == slug


async def test_a_row_of_another_form_is_malformed(ask: Ask) -> None:
    with pytest.raises(KimiMalformedReplyError, match=r"ListedModel: id, context_length"):
        await ask(Server(data([{"context_length": "long"}])), "models")


async def test_rows_that_are_not_valid_are_left_out(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": "a"}, None, {"id": "b", "pricing": None}, {"id": "c", "context_length": "big"}, {"id": "d"}]
    assert [model.id for model in await ask(Server(data(rows)), "models")] == ["a", "d"]
    assert "3 of 5 rows of a list are left out" in caplog.text


async def test_hosts_that_are_not_valid_are_left_out(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    hosts = [{"tag": "a"}, {"tag": "b", "pricing": "free"}, None, {"tag": "c", "native_tools": True}]
    model = await ask(Server(data({"id": "x/y", "endpoints": hosts})), "endpoints", "x/y")
    assert [host.tag for host in model.endpoints] == ["a", "c"]
    assert "2 of 4 rows of a list are left out. The response is not a valid Endpoint: pricing." in caplog.text


@pytest.mark.parametrize("hosts", [None, "none", [{"pricing": 1}]])
async def test_a_model_without_a_list_of_hosts_is_malformed(ask: Ask, hosts: Any) -> None:
    with pytest.raises(KimiMalformedReplyError):
        await ask(Server(data({"id": "x/y", "endpoints": hosts})), "endpoints", "x/y")


async def test_a_list_without_a_valid_row_is_malformed(ask: Ask) -> None:
    with pytest.raises(KimiMalformedReplyError, match="not a valid Provider"):
        await ask(Server(data([None, 5])), "providers")


def test_an_operation_is_a_generator_of_requests() -> None:
    requested: list[Any] = []

    def do(step: Any) -> Any:
        requested.append(step)
        return {"data": {"limit": 2}}

    assert operations.run(operations.key(), do).limit == 2
    assert requested == [Get("/key")]
