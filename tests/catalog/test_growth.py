"""The responses of the catalog's endpoints are read in time that is proportional to their length."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from langchain_kimi._openrouter.reply.data import DataReader
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.catalog import operations
from langchain_kimi.catalog.operations import Operation
from langchain_kimi.errors import KimiError, KimiNotFoundError
from tests.adversarial import PIECES, pieces_of, repeated
from tests.growth import assert_linear

pytestmark = pytest.mark.uncovered

KIMI = "moonshotai/kimi-k2"
PRICES = {"prompt": "0.000001", "completion": "0.000002"}
ROW: dict[str, Any] = {
    "id": KIMI,
    "name": "a",
    "context_length": 1,
    "pricing": PRICES,
    "supported_parameters": ["tools"],
}
FIELDS = ("id", "name", "canonical_slug", "tag", "provider_name", "date", "slug", "alias_target", "expiration_date")


def fetched(operation: Operation[Any], body: bytes) -> None:
    """Run an operation whose requests are all answered with the same body."""

    def answer(step: Any) -> Any:
        if isinstance(step, operations.Wait):
            raise KimiNotFoundError("no such generation", status=404)
        reader = DataReader(ResponseHead(200, {}, 0.0), step.shape, None)
        for start in range(0, len(body), 4096):
            reader.feed(body[start : start + 4096], 0.0)
        return next(iter(reader.close()))

    with suppress(KimiError):
        operations.run(operation, answer)


OPERATIONS: dict[str, Callable[[], Operation[Any]]] = {
    "models": lambda: operations.models({}),
    "hosts": lambda: operations.endpoints(KIMI),
    "facts": lambda: operations.refreshed([KIMI], "source", "2026-01-01"),
    "hosts without retention": operations.endpoints_without_retention,
    "key": operations.key,
    "credits": operations.account_credits,
    "providers": operations.providers,
    "activity": lambda: operations.activity(None),
    "generation": lambda: operations.generation("gen-1", 0.0),
}


def texts(piece: str) -> Callable[[int], bytes]:
    """Return a shape with the piece repeated in each text of a row, and in its prices and parameters."""

    def body(size: int) -> bytes:
        text = repeated(piece, size)
        row = {**ROW, **dict.fromkeys(FIELDS, text), "pricing": dict.fromkeys(PRICES, text)}
        rows = [{**ROW, **row}, {**ROW, "id": f"{KIMI}{text}"}, {**ROW, "supported_parameters": pieces_of(text, 8)}]
        return json.dumps({"data": [*rows, {**ROW, "endpoints": rows}]}).encode()

    return body


def many(row: dict[str, Any]) -> Callable[[int], bytes]:
    """Return a shape with many rows, as a list, as hosts, and as a single object."""
    return lambda size: json.dumps({"data": [{**ROW, **row}] * size, "total_count": size}).encode()


def hosts(row: dict[str, Any]) -> Callable[[int], bytes]:
    return lambda size: json.dumps({"data": {"id": KIMI, "endpoints": [{**ROW, **row}] * size}}).encode()


SHAPES: dict[str, Callable[[int], bytes]] = {
    **{f"texts of {piece!r:.60}": texts(piece) for piece in PIECES},
    "raw bytes": lambda size: b"[" * size,
    "comments": lambda size: b": OPENROUTER PROCESSING\n\n" * size + b'{"data": []}',
    "comments without an end": lambda size: b":" * size,
    "blanks": lambda size: b" " * size + b'{"data": []}',
    "many models": many({}),
    "many aliases": many({"id": f"~{KIMI}", "alias_target": KIMI}),
    "many batch models": many({"id": f"{KIMI}:batch"}),
    "many wrong rows": many({"id": None}),
    "many hosts": hosts({}),
    "many wrong hosts": hosts({"pricing": "free"}),
    "many fields": lambda size: json.dumps({"data": {f"k{number}": number for number in range(size)}}).encode(),
    "many parameters": hosts({"supported_parameters": [str(number) for number in range(50)]}),
    "a long number": lambda size: b'{"data": {"id": "a", "total_credits": ' + b"9" * size + b"}}",
    "a long price": lambda size: json.dumps({"data": [{**ROW, "pricing": {"prompt": "9" * size}}]}).encode(),
}


def read_all(body: bytes) -> None:
    for operation in OPERATIONS.values():
        fetched(operation(), body)


def check_growth(shape: Callable[[int], bytes], read: Callable[[bytes], object]) -> None:
    made: dict[int, bytes] = {}
    assert_linear(lambda size: read(made[size] if size in made else made.setdefault(size, shape(size))), 100)


@pytest.mark.parametrize("shape", ["many models", "many hosts", "comments", "a long price"])
def test_a_response_is_read_in_linear_time(shape: str) -> None:
    check_growth(SHAPES[shape], read_all)


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_each_operation_takes_linear_time(shape: str, operation: str) -> None:
    check_growth(SHAPES[shape], lambda body: fetched(OPERATIONS[operation](), body))


@pytest.mark.long
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=4))
def test_no_combination_takes_more_than_linear_time(pieces: list[str]) -> None:
    check_growth(texts("".join(pieces)), read_all)
