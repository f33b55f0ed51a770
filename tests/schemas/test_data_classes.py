from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, ClassVar

import pydantic.dataclasses
import pytest

from langchain_kimi._schemas.data_classes import dataclass_function
from langchain_kimi._schemas.output import output_schema
from langchain_kimi._schemas.tools import tools_to_wire
from langchain_kimi.errors import KimiUsageError


@dataclass
class Branch:
    """A branch."""

    args: Annotated[list[str], 7, "in any order"]
    branches: "list[Branch]" = field(default_factory=list)
    depth: InitVar[int] = 0
    size: int = field(init=False, default=3)
    kind: ClassVar[str] = "oak"


@pydantic.dataclasses.dataclass
class Checked:
    length: int = pydantic.Field(alias="the length", description="in meters", ge=1)
    leaves: list[int] = pydantic.Field(default_factory=list, max_length=3)


@dataclass
class Undefined:
    other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - the test


def test_the_fields_of_the_constructor_are_described() -> None:
    properties: dict[str, Any] = {
        "args": {"type": "array", "items": {"type": "string"}, "description": "in any order"},
        "branches": {"type": "array", "items": {"$ref": "#/$defs/Branch"}},
        "depth": {"type": "integer", "default": 0},
    }
    function = dataclass_function(Branch)
    assert function["description"] == "A branch."
    assert function["parameters"]["properties"] == properties
    assert function["parameters"]["required"] == ["args"]
    assert set(function["parameters"]["$defs"]) == {"Branch"}
    assert tools_to_wire([Branch], strict=None) == [{"type": "function", "function": function}]


def test_fields_of_pydantic_keep_their_alias_description_and_limits() -> None:
    assert dataclass_function(Checked) == {
        "name": "Checked",
        "parameters": {
            "type": "object",
            "properties": {
                "the length": {"type": "integer", "minimum": 1, "description": "in meters"},
                "leaves": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
            },
            "required": ["the length"],
        },
    }


@pytest.mark.parametrize("convert", [output_schema, lambda kind: tools_to_wire([kind], strict=None)])
def test_a_dataclass_with_an_undefined_type_is_an_error(convert: Any) -> None:
    with pytest.raises(KimiUsageError, match=r"Cannot make a JSON schema from .*Undefined"):
        convert(Undefined)
