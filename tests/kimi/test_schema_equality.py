"""Random schemas: the repaired schema allows the same arguments, and Moonshot AI's rules accept it."""

import random
from typing import Any

import pytest

from langchain_kimi._kimi.schemas import schema_notes
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing.moonshot_schemas import schema_fault
from tests.kimi.moonshot_schema_cases import moonshot_schema

NAMES = ["a", "b", "c", "d"]
SCALARS: list[Any] = ["a", "", "ab", 0, 1, 2, 1.0, 1.5, True, False, None]
TYPES = ["string", "integer", "number", "boolean", "null", "object", "array"]
REFERENCES = ["#/$defs/A", "#/$defs/B", "#/definitions/C"]
ROUNDS = 40


class Maker:
    """Makes schemas and values from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - the same schemas each time

    def is_chosen(self, share: float) -> bool:
        return self._random.random() < share

    def value(self, depth: int = 2) -> Any:
        kind = self._random.random()
        if not depth or kind < 0.6:
            return self._random.choice(SCALARS)
        if kind < 0.8:
            return [self.value(depth - 1) for _ in range(self._random.randrange(3))]
        return {name: self.value(depth - 1) for name in NAMES if self.is_chosen(0.4)}

    def arguments(self) -> dict[str, Any]:
        return {name: self.value() for name in NAMES if self.is_chosen(0.5)}

    def schema(self, depth: int) -> Any:
        if not depth or self.is_chosen(0.1):
            return self._leaf()
        makers: list[tuple[str, float, Any]] = [
            ("type", 0.5, self._type),
            ("properties", 0.3, lambda: {name: self.schema(depth - 1) for name in NAMES if self.is_chosen(0.5)}),
            ("required", 0.2, lambda: self._random.sample(NAMES, self._random.randrange(3))),
            ("additionalProperties", 0.2, lambda: self.schema(depth - 1)),
            ("patternProperties", 0.1, lambda: {self._random.choice(["^a", "b$", "."]): self.schema(depth - 1)}),
            ("unevaluatedProperties", 0.05, lambda: self.schema(0)),
            ("unevaluatedItems", 0.03, lambda: self.schema(0)),
            ("items", 0.2, lambda: self.schema(depth - 1)),
            *((keyword, share, lambda: self._schemas(depth - 1)) for keyword, share in LISTS.items()),
            ("not", 0.08, lambda: self.schema(depth - 1)),
            ("enum", 0.15, lambda: [self.value(1) for _ in range(self._random.randrange(5))]),
            ("const", 0.08, lambda: self.value(1)),
            ("$ref", 0.15, lambda: self._random.choice(REFERENCES)),
            *((keyword, 0.1, lambda: self._random.randrange(3)) for keyword in LIMITS),
            ("description", 0.1, lambda: "d"),
            ("default", 0.05, lambda: self.value(0)),
            ("uniqueItems", 0.05, lambda: True),
        ]
        return {keyword: make() for keyword, share, make in makers if self.is_chosen(share)}

    def whole(self) -> dict[str, Any]:
        drawn = self.schema(self._random.randrange(2, 4))
        schema = drawn if isinstance(drawn, dict) else {}
        if self.is_chosen(0.7):
            schema["type"] = "object"
        definitions = {"$defs": {"A": self.schema(2), "B": self.schema(2)}, "definitions": {"C": self.schema(1)}}
        return {**schema, **definitions}

    def _leaf(self) -> Any:
        leaves: list[Any] = [{}, True, False, {"type": self._random.choice(TYPES)}, {"const": self.value(0)}]
        leaves += [{"enum": [self.value(0) for _ in range(self._random.randrange(4))]}]
        return self._random.choice(leaves)

    def _type(self) -> Any:
        kinds = self._random.sample(TYPES, self._random.randrange(1, 4))
        return kinds if self.is_chosen(0.4) else kinds[0]

    def _schemas(self, depth: int) -> list[Any]:
        return [self.schema(depth) for _ in range(self._random.randrange(1, 4))]


LISTS = {"prefixItems": 0.1, "anyOf": 0.25, "oneOf": 0.1, "allOf": 0.1}
LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties")


def equal(schema: dict[str, Any], maker: Maker) -> bool:
    """Return whether a schema and its repaired form allow the same arguments; true if the repair refuses it."""
    jsonschema = pytest.importorskip("jsonschema")
    try:
        repaired = moonshot_schema(schema, "search")
    except KimiUsageError as error:
        return "the tool search: parameters" in str(error)
    assert schema_fault(repaired) is None
    if schema_notes([{"function": {"name": "search", "parameters": schema}}]):
        return True
    before, after = map(jsonschema.Draft202012Validator, (schema, repaired))
    try:
        return all(before.is_valid(value) == after.is_valid(value) for value in arguments_of(maker))
    except RecursionError:
        # A reference leads back to itself for the same value, which JSON Schema does not define.
        return True


def arguments_of(maker: Maker) -> list[dict[str, Any]]:
    return [maker.arguments() for _ in range(ROUNDS)]


def check(seeds: range) -> None:
    for seed in seeds:
        maker = Maker(seed)
        assert equal(maker.whole(), maker), seed


@pytest.mark.uncovered
def test_random_schemas_keep_their_meaning() -> None:
    check(range(120))


@pytest.mark.long
def test_many_random_schemas_keep_their_meaning() -> None:
    check(range(120, 4_000))
