"""The operations of the catalog, without I/O: each yields requests and waits, and returns a typed result."""

import logging
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from pydantic import ValidationError

from langchain_kimi._kimi.facts import Facts
from langchain_kimi._kimi.families import base_slug
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.catalog.results import (
    Activity,
    Credits,
    Endpoint,
    Generation,
    KeyInfo,
    ListedModel,
    ModelEndpoints,
    Provider,
    Result,
)
from langchain_kimi.catalog.rows import facts_of
from langchain_kimi.errors import KimiError, KimiMalformedReplyError, KimiNotFoundError, KimiUsageError

PAGE = 1000
"""The largest page of models that OpenRouter returns."""
MOST_MODELS = 100_000
"""The maximum number of models in a list, because a faulty server may send pages without end."""
logger = logging.getLogger("langchain_kimi")
T = TypeVar("T")
R = TypeVar("R", bound=Result)


@dataclass(frozen=True, slots=True)
class Get:
    """A request for JSON: the path after the base URL, the query, and the type of `data` in the response."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    shape: type = dict


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait of some seconds."""

    seconds: float


Operation: TypeAlias = Generator[Get | Wait, JSONObject, T]


def run(operation: Operation[T], do: Callable[[Get | Wait], Any]) -> T:
    """Return the result of an operation, whose steps `do` makes. Errors of a step are raised inside the operation."""
    try:
        step = next(operation)
        while True:
            try:
                reply = do(step)
            except KimiError as error:
                step = operation.throw(error)
            else:
                step = operation.send(reply)
    except StopIteration as end:
        result: T = end.value
        return result


async def arun(operation: Operation[T], do: Callable[[Get | Wait], Awaitable[Any]]) -> T:
    """Return the result of an operation; the async version of `run`."""
    try:
        step = next(operation)
        while True:
            try:
                reply = await do(step)
            except KimiError as error:
                step = operation.throw(error)
            else:
                step = operation.send(reply)
    except StopIteration as end:
        result: T = end.value
        return result


_NO_RECORD = (
    "Check the id (`gen-...`). OpenRouter has the record some seconds after the call, and shows it only to keys of the "
    "account that made the call."
)


def models(filters: Mapping[str, Any], path: str = "/models") -> Operation[list[ListedModel]]:
    """List models, page by page."""
    query = {name: _text(value) for name, value in filters.items() if value is not None}
    rows: list[Any] = []
    while True:
        offset = {"offset": str(len(rows))} if rows else {}
        reply = yield Get(path, {**query, "limit": str(PAGE), **offset}, list)
        rows.extend(reply["data"])
        total = reply.get("total_count")
        # Older servers send no total and ignore the offset. Their first page contains all models.
        if not reply["data"] or not isinstance(total, int) or len(rows) >= total:
            return _all(ListedModel, rows)
        if len(rows) > MOST_MODELS:
            raise KimiMalformedReplyError(f"The list of models has more than {MOST_MODELS:,} rows.")


def endpoints(slug: str) -> Operation[ModelEndpoints]:
    """Get a model's hosts. For an unknown model the error names the nearest ones."""
    if slug.count("/") != 1:
        raise KimiUsageError(f"{slug!r} is not a model slug of the form author/name.")
    try:
        reply = yield Get(f"/models/{quote(slug, safe='/~:')}/endpoints")
    except KimiNotFoundError as error:
        names = nearest(slug, (yield from models({})))
        advice = f"Did you mean {' or '.join(names)}?" if names else "No listed model has a similar name."
        error.update(advice=advice, model=slug)
        raise
    model: JSONObject = reply["data"]
    if isinstance(hosts := model.get("endpoints"), list):
        return _one(ModelEndpoints, {**model, "endpoints": _all(Endpoint, hosts)})
    return _one(ModelEndpoints, model)


def nearest(slug: str, listed: Iterable[ListedModel]) -> list[str]:
    """Return the slugs of up to three listed models whose names are similar, the most similar first."""
    return get_close_matches(slug, [model.id for model in listed], n=3, cutoff=0.5)


def refreshed(slugs: Iterable[str], source: str, date: str) -> Operation[Facts]:
    """Fetch the facts of all Kimi models, and the hosts of some models."""
    listed = yield from models({})
    hosts: dict[str, list[Endpoint]] = {}
    for slug in dict.fromkeys(base_slug(slug) for slug in slugs):
        # An alias has the hosts of its target, a preset is not a model.
        if slug.count("/") == 1:
            served = yield from endpoints(slug)
            hosts[base_slug(served.id)] = served.endpoints
    return facts_of(listed, hosts, source=source, date=date)


def endpoints_without_retention() -> Operation[list[Endpoint]]:
    """List the endpoints with zero data retention."""
    return _all(Endpoint, (yield Get("/endpoints/zdr", shape=list))["data"])


def key() -> Operation[KeyInfo]:
    """Get the limits and the usage of the API key."""
    return _one(KeyInfo, (yield Get("/key"))["data"])


def account_credits() -> Operation[Credits]:
    """Get the credits of the account."""
    return _one(Credits, (yield Get("/credits"))["data"])


def providers() -> Operation[list[Provider]]:
    """List all providers."""
    return _all(Provider, (yield Get("/providers", shape=list))["data"])


def activity(date: str | None) -> Operation[list[Activity]]:
    """List the usage of the last 30 days, or of one of them."""
    return _all(Activity, (yield Get("/activity", {"date": date} if date else {}, list))["data"])


def generation(generation_id: str, wait: float) -> Operation[Generation]:
    """Get the record of a call. OpenRouter has it only some time after the call, so a 404 is retried."""
    request = Get("/generation", {"id": generation_id})
    for delay in _delays(wait):
        try:
            return _one(Generation, (yield request)["data"])
        except KimiNotFoundError:
            yield Wait(delay)
    try:
        return _one(Generation, (yield request)["data"])
    except KimiNotFoundError as error:
        error.update(advice=_NO_RECORD)
        raise


def _delays(wait: float) -> Iterator[float]:
    """Yield the seconds to wait between attempts, which double until their sum is `wait`."""
    delay = 0.25
    while wait > 0:
        yield min(delay, wait)
        wait -= delay
        delay *= 2


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)


def _one(row_class: type[R], row: Any) -> R:
    try:
        return row_class.model_validate(row)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, one["loc"])) or "(the whole)" for one in error.errors()[:3])
        raise KimiMalformedReplyError(f"The response is not a valid {row_class.__name__}: {places}.") from None


def _all(row_class: type[R], rows: list[Any]) -> list[R]:
    """Return the rows of a list, without those that are not valid, because one row must not hide all others.

    Raises:
        KimiMalformedReplyError: No row is valid.
    """
    valid: list[R] = []
    problem: KimiMalformedReplyError | None = None
    for row in rows:
        try:
            valid.append(_one(row_class, row))
        except KimiMalformedReplyError as error:
            problem = problem or error
    if problem is not None:
        if not valid:
            raise problem
        logger.warning("%d of %d rows of a list are left out. %s", len(rows) - len(valid), len(rows), problem.reason)
    return valid
