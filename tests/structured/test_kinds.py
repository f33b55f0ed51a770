"""Every reply with every kind of schema gives a value or a typed error."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import BaseModel, RootModel

from langchain_kimi._schemas.output import output_schema
from langchain_kimi._structured.parser import StructuredOutputParser
from langchain_kimi.errors import KimiStructuredOutputError
from tests.rows import each_row
from tests.structured.cases import ADA, CASES, CUT, EVA, JSON, TYPED, Case, Color, Person
from tests.structured.kinds import KINDS, expected, outcome, value_or_error
from tests.structured.loopback import last

T = TypeVar("T")
TARGETS = {kind: output_schema(schema) for kind, schema in KINDS.items()}


@pytest.mark.uncovered
@pytest.mark.parametrize("by_call", [True, False], ids=["call", "text"])
@each_row("case", [*CASES, *TYPED, *CUT], ids=lambda case: case.name)
def test_a_reply_gives_its_value_or_its_error_for_every_kind_of_schema(case: Case, *, by_call: bool) -> None:
    message = case.message()
    # Whole, in small pieces, and in one piece.
    streams = [case.chunks(size) for size in (1 + len(case.text) // 100, 1000)]
    expected_value = {kind: [expected(case, kind, by_call=by_call)] * 3 for kind in KINDS}
    results = {kind: outcomes(message, streams, kind, by_call=by_call) for kind in KINDS}
    assert results == expected_value


def outcomes(message: AIMessage, streams: list[list[AIMessageChunk]], kind: str, *, by_call: bool) -> list[Any]:
    target = TARGETS[kind]
    parser = StructuredOutputParser(target=target, by_call=by_call, grows=target.model is None)
    whole = outcome(lambda: parser.invoke(message), kind)
    return [whole, *(outcome(lambda: last(parser.transform(iter(chunks))), kind) for chunks in streams)]  # noqa: B023 - called at once


class People(RootModel[list[Person]]):
    pass


class Wish(RootModel[Person | None]):
    pass


class Box(BaseModel, Generic[T]):
    content: T


Adas = Box[list[Person]]
ERROR = KimiStructuredOutputError
ARRAY = {"title": "Array", "type": "array", "items": {"type": "string"}}
WORD = {"title": "Word", "enum": ["red", "blue"]}
OTHER_KINDS: list[tuple[Any, str, Any]] = [
    (People, f"[{JSON}]", [ADA]),
    (People, f'{{"root": [{JSON}]}}', [ADA]),
    (People, f"They are [{JSON}].", [ADA]),
    (People, "[]", []),
    *[(People, text, ERROR) for text in ("null", "{}", '""', "none", JSON)],
    *[(People, text, ERROR) for text in (f"[{JSON}", f"[{JSON}] [{EVA}]", f"[[{JSON}]]")],
    (Wish, JSON, ADA),
    (Wish, '{"root": null}', None),
    *[(Wish, text, ERROR) for text in ("[]", "{}", "nobody", '{"name": "Ada", "age"')],
    (RootModel[Color], '"red"', "red"),
    (RootModel[Color], '{"root": "red"}', "red"),
    *[(RootModel[Color], text, ERROR) for text in ('"green"', "red", "null", "[]", '"red" or "blue"', '"re')],
    (Adas, f'{{"content": [{JSON}]}}', {"content": [ADA]}),
    *[(Adas, text, ERROR) for text in (JSON, f"[{JSON}]", '{"content": null}', f'{{"content": [{JSON}')],
    (ARRAY, '["a"]', ["a"]),
    (ARRAY, '{"root": ["a"]}', ["a"]),
    *[(ARRAY, text, ERROR) for text in ("null", "{}", '"a"', '["a"', "a", '["a"] ["b"]')],
    (WORD, '"red"', "red"),
    *[(WORD, text, ERROR) for text in ("null", '"green"', "red", '["red"]', "{}")],
]  # fmt: skip


@pytest.mark.uncovered
@pytest.mark.parametrize("by_call", [True, False], ids=["call", "text"])
@each_row("schema, text, result", OTHER_KINDS)
def test_lists_roots_and_generics_give_a_value_or_an_error(
    schema: Any, text: str, result: Any, *, by_call: bool
) -> None:
    target = output_schema(schema)
    parser = StructuredOutputParser(target=target, by_call=by_call, grows=target.model is None)
    case = Case("other", result, result, "" if by_call else text, ((target.name, text),) if by_call else ())
    ways: list[Callable[[], Any]] = [
        lambda: parser.invoke(case.message()),
        lambda: last(parser.transform(iter(case.chunks(3)))),
    ]
    for way in ways:
        value = value_or_error(way)
        assert (value.model_dump(mode="json") if isinstance(value, BaseModel) else value) == result


def test_a_refusal_beside_the_value_is_a_refusal() -> None:
    message = AIMessage(JSON, additional_kwargs={"refusal": "I would rather not."})
    for schema in KINDS.values():
        parser = StructuredOutputParser(target=output_schema(schema), by_call=False, grows=False)
        with pytest.raises(KimiStructuredOutputError) as refused:
            parser.invoke(message)
        assert (refused.value.cause, refused.value.text) == ("refusal", "I would rather not.")
