"""Schemas in common use, with values of each and the obstacle to a strict form."""

import datetime as dt
import enum
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NotRequired, TypedDict, TypeVar

from pydantic import AnyUrl, AwareDatetime, BaseModel, ConfigDict, Field, RootModel, conlist, create_model, v1

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(BaseModel):
    """A point."""

    x: int
    y: int


class Node(BaseModel):
    """A node of a tree."""

    name: str
    children: list["Node"]


class Chain(BaseModel):
    value: int
    following: "Chain | None" = Field(None, description="the next link")


class Even(BaseModel):
    odd: "Odd | None" = None


class Odd(BaseModel):
    even: Even | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str]


class Box(BaseModel, Generic[T]):
    content: T


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    first_name: str = Field(alias="firstName")


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Described(BaseModel):
    start: Point = Field(description="where it starts")
    end: Point = Field(description="where it ends", title="End")


class Numbers(RootModel[list[int]]):
    pass


class Pet(RootModel[Cat | Dog]):
    pass


class TreeDict(TypedDict):
    name: str
    children: "list[TreeDict]"


class PersonDict(TypedDict):
    name: Annotated[str, ..., "the full name"]
    age: int


class LooseDict(TypedDict):
    name: str
    age: NotRequired[int]


class NullableDict(TypedDict):
    name: str
    place: PersonDict | None


class OldPoint(v1.BaseModel):
    """A point of old."""

    x: int
    y: int


class OldLine(v1.BaseModel):
    start: OldPoint
    points: list[OldPoint] = v1.Field(..., description="on the way")


class OldNode(v1.BaseModel):
    name: str
    children: "list[OldNode]"


OldNode.update_forward_refs()


@dataclass(frozen=True)
class SchemaCase:
    """A schema, JSON values that it allows, and the reason why it cannot be strict.

    Attributes:
        obstacle: The obstacle that the warning names; None if the schema can be strict.
        made_up: The optional properties for which strict mode requires a value.
    """

    name: str
    schema: Any
    values: tuple[Any, ...]
    obstacle: str | None = None
    made_up: tuple[str, ...] = ()


def field(name: str, kind: Any, *values: Any, obstacle: str | None = None, default: Any = ...) -> SchemaCase:
    """Return a model of one field."""
    made_up = () if default is ... or default is None else ("value",)
    model = create_model("Holder", value=(kind, default))
    return SchemaCase(name, model, tuple({"value": value} for value in values), obstacle, made_up)


def plain(name: str, schema: dict[str, Any], *values: Any, obstacle: str | None = None, **more: Any) -> SchemaCase:
    return SchemaCase(name, {"title": "Plain", **schema}, values, obstacle, **more)


STRING, INTEGER = {"type": "string"}, {"type": "integer"}
UUID = str(uuid.UUID(int=5))
CAT, DOG = {"kind": "cat", "lives": 9}, {"kind": "dog", "tricks": ["roll"]}
TREE = {"name": "a", "children": [{"name": "b", "children": []}]}

SCHEMAS = [
    # Models of one field.
    field("text", str, "", "é\n"),
    field("number", float, 1.5, -2.0),
    field("whole number", int, 3),
    field("flag", bool, *(True, False)),
    field("null", None, None),
    field("optional", int | None, 1, None, default=None),
    field("optional, required", int | None, 1, None),
    field("with a default", int, 7, default=5),
    field("union", int | str, 1, "a"),
    field("union of models", Point | Color, {"x": 1, "y": 2}, "red"),
    field("enum", Color, "red", "blue"),
    field("enum of numbers", Level, 1, 2),
    field("enum or null", Color | None, "red", None, default=None),
    field("literal", Literal["a"], "a"),
    field("literal of several kinds", Literal["a", 1] | None, "a", 1, None),
    field("date", dt.date, "2025-11-23"),
    field("date and time", AwareDatetime, "2025-11-23T10:00:00Z"),
    field("duration", dt.timedelta, "P1D"),
    field("uuid", uuid.UUID, UUID),
    field("range", Annotated[int, Field(ge=1, lt=10, multiple_of=3)], 3, 9),
    field("pattern", Annotated[str, Field(pattern="^a+$")], "aa"),
    field("list", list[int], [], [1, 2]),
    field("list of a length", conlist(int, min_length=1, max_length=2), [1], [1, 2]),
    field("tuple of any length", tuple[int, ...], [], [1, 2]),
    field("nested lists", list[list[Point]], [[{"x": 1, "y": 2}]]),
    field("box of a model", Box[Point], {"content": {"x": 1, "y": 2}}),
    field("tagged union", Annotated[Cat | Dog, Field(discriminator="kind")], CAT, DOG),
    field("union of tagged", Cat | Dog | None, CAT, DOG, None),
    # Models.
    SchemaCase("model", Point, ({"x": 1, "y": 2},)),
    SchemaCase("generic", Box[list[Point]], ({"content": [{"x": 1, "y": 2}]},)),
    SchemaCase("alias", Aliased, ({"firstName": "Ada"},)),
    SchemaCase("closed", Closed, ({"name": "Ada"},)),
    SchemaCase("described models", Described, ({"start": {"x": 1, "y": 2}, "end": {"x": 3, "y": 4}},)),
    SchemaCase("recursive", Node, (TREE,)),
    SchemaCase("recursive and described", Chain, ({"value": 1, "following": {"value": 2, "following": None}},)),
    SchemaCase("recursive over another", Even, ({"odd": {"even": {"odd": None}}},)),
    SchemaCase("root of a list", Numbers, ([], [1, 2])),
    SchemaCase("root of a union", Pet, (CAT, DOG)),
    SchemaCase("old model", OldLine, ({"start": {"x": 1, "y": 2}, "points": [{"x": 3, "y": 4}]},)),
    SchemaCase("old recursive model", OldNode, (TREE,)),
    # Dicts.
    SchemaCase("typed dict", PersonDict, ({"name": "Ada", "age": 36},)),
    SchemaCase("recursive typed dict", TreeDict, (TREE,)),
    SchemaCase("typed dict with a missing key", LooseDict, ({"name": "A", "age": 1},), made_up=("age",)),
    SchemaCase("typed dict in another", NullableDict, ({"name": "A", "place": None},)),
    plain("JSON schema", {"type": "object", "properties": {"a": STRING}, "required": ["a"]}, {"a": "b"}),
    plain("all may be missing", {"type": "object", "properties": {"a": STRING}}, {"a": "b"}, made_up=("a",)),
    plain("types in a list", {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}, {"a": None}),
    plain("no properties", {"type": "object", "properties": {}, "additionalProperties": False}, {}),
    plain("array", {"type": "array", "items": STRING}, ["a"]),
    # Schemas without a strict form.
    field("tuple", tuple[int, str], [1, "a"], obstacle="prefixItems at value"),
    field("set", set[int], [1, 2], obstacle="uniqueItems at value"),
    field("free keys", dict[str, int], {"a": 1}, obstacle="free keys at value"),
    field("any dict", dict, {"a": [1]}, obstacle="free keys at value"),
    field("anything", Any, 1, "a", obstacle="any value at value"),
    field("list of anything", list, [1, "a"], obstacle=r"any value at value\[\]"),
    field("least length", Annotated[str, Field(min_length=2)], "ab", obstacle="minLength at value"),
    field("link", AnyUrl, "https://example.com/", obstacle="format 'uri' at value, minLength at value|minLength"),
    field("bytes", bytes, "abc", obstacle="format 'binary'"),
    field("exact number", Decimal, "1.5", obstacle=None),
    SchemaCase("open", Open, ({"name": "A", "more": 1},), "free keys at the top"),
    plain("not closed", {"type": "object"}, {"a": 1}, obstacle="free keys at the top"),
    plain("nothing forbidden", {"type": "object", "properties": {"a": True}}, {"a": 1}, obstacle="any value at a"),
    plain("a condition", {"type": "object", "properties": {}, "if": {}}, {}, obstacle="if at the top"),
    plain("a lookahead", {"type": "object", "properties": {"a": {**STRING, "pattern": "(?=b)b"}}}, {"a": "b"},
          obstacle=r"a pattern with \(\?\.\.\.\) at a"),
    plain("one of, untagged", {"type": "object", "properties": {"a": {"oneOf": [STRING, INTEGER]}}}, {"a": "b"},
          obstacle="oneOf at a"),
    plain("reference and more", {"type": "object", "properties": {"a": {"$ref": "#/$defs/A", "minimum": 1}},
                                 "$defs": {"A": INTEGER}}, {"a": 1}, obstacle=r"keywords beside \$ref at a"),
]  # fmt: skip
