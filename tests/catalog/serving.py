"""A server of fixed answers, and calls of a sync or async catalog."""

from typing import Any

import httpx

from langchain_kimi._openrouter.http.calls import Clock
from langchain_kimi.catalog import AsyncCatalog, Catalog

KEY = "sk-or-v1-planted"
URL = "https://openrouter.example/api/v1/"


class Server:
    """A transport that returns each answer in turn, then repeats the last one, and records the requests."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Ask:
    """Calls a method of a sync or async catalog, and records the sleeps."""

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async
        self.slept: list[float] = []

    async def __call__(self, server: Server, method: str, *arguments: Any, key: Any = KEY, **keywords: Any) -> Any:
        settings = {"max_retries": keywords.pop("max_retries", 0), "base_url": URL}
        clock = Clock(epoch=lambda: 1000.0, sleep=self.slept.append, async_sleep=self._sleep)
        if self.is_async:
            async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as async_client:
                async_catalog = AsyncCatalog(key, http_async_client=async_client, clock=clock, **settings)
                return await getattr(async_catalog, method)(*arguments, **keywords)
        with httpx.Client(transport=httpx.MockTransport(server)) as client:
            return getattr(Catalog(key, http_client=client, clock=clock, **settings), method)(*arguments, **keywords)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def data(value: object, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"data": value, **more})


def refusal(status: int, message: str = "no") -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": status, "message": message}})
