"""More schemas in common use; see `cases`."""

import datetime as dt
import enum
import uuid
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, computed_field

from tests.schemas.cases import UUID, Color, Point, SchemaCase, field

K = TypeVar("K")
V = TypeVar("V")

UserId = NewType("UserId", int)
Country = enum.Enum("Country", {f"C{number}": f"country {number}" for number in range(300)})  # type: ignore[misc]  # made of a dict


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"
    radius: float


class Square(BaseModel):
    kind: Literal["square"] = "square"
    side: float


Shape = Annotated[Circle | Square, Field(discriminator="kind")]


class Drawing(BaseModel):
    """Shapes, and others in them."""

    model_config = ConfigDict(extra="forbid")
    shapes: list[Shape]
    inner: "list[Drawing]"


class Person(BaseModel):
    name: str
    employer: "Company | None"


class Company(BaseModel):
    name: str
    staff: list[Person]


class Computed(BaseModel):
    width: int
    height: int

    @computed_field
    def area(self) -> int:
        return self.width * self.height


class Tagged(BaseModel):
    name: str
    tags: list[str] = Field(default_factory=list)


@dataclass
class Part:
    """A part."""

    name: str
    number: int


@dataclass
class LoosePart:
    name: str
    sizes: list[int] = dataclass_field(default_factory=list)


class Parts(BaseModel):
    parts: list[LoosePart]


class Counted(BaseModel):
    count: int | None = 5


class Pair(BaseModel, Generic[K, V]):
    key: K
    value: V


class Place(NamedTuple):
    latitude: float
    longitude: float


class Frozen(BaseModel, frozen=True, strict=True):
    day: dt.date
    color: Color


class Snake(BaseModel):
    model_config = ConfigDict(alias_generator=lambda name: name.title(), populate_by_name=True)
    first_name: str
    last_name: str | None


class Documented(BaseModel):
    """A model whose docstring

    goes over lines, with "quotes" and {braces}.
    """

    model_config = ConfigDict(title="Documented model", json_schema_extra={"examples": [{"name": "x"}]})
    name: str = Field(title="The name", description="Who", examples=["Ada"], deprecated=True)


Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CIRCLE, SQUARE = {"kind": "circle", "radius": 1.5}, {"kind": "square", "side": 2.0}

MORE = [
    field("literals of all kinds", Literal["a", 2, True] | None, "a", 2, *(True, None)),
    field("tagged union with defaults", Shape, CIRCLE, SQUARE),
    field("list of tagged unions", list[Shape], [], [CIRCLE, SQUARE]),
    field("optional tagged union", Shape | None, CIRCLE, None, default=None),
    SchemaCase("optional with a default of its own", Counted, ({"count": 1}, {"count": None})),
    field("enum with a default", Color, "blue", default=Color.RED),
    field("literal or a number", Literal["none"] | float, "none", 1.5),
    field("long enum", Country, "country 0", "country 299"),
    field("new type", UserId, 7),
    field("optional model", Point | None, {"x": 1, "y": 2}, None),
    field("time of day", dt.time, "10:00:00"),
    field("list of dates", list[dt.date], ["2025-11-23"]),
    field("list of ids or nulls", list[uuid.UUID | None], [UUID, None]),
    field("code by its pattern", Code, "ABC"),
    field("number above and below", Annotated[float, Field(gt=0, le=1)], 0.5, 1.0),
    field("dataclass", Part, {"name": "nut", "number": 3}),
    field("list of dataclasses", list[Part], [{"name": "nut", "number": 3}]),
    field("pair of types", Pair[str, list[Point]], {"key": "a", "value": [{"x": 1, "y": 2}]}),
    field("pair of pairs", Pair[str, Pair[int, bool]], {"key": "a", "value": {"key": 1, "value": True}}),
    field("email", Annotated[str, Field(json_schema_extra={"format": "email"})], "a@example.com"),
    SchemaCase("forbids more, recursive, tagged", Drawing,
               ({"shapes": [CIRCLE], "inner": [{"shapes": [SQUARE], "inner": []}]},)),
    SchemaCase("each in the other", Company, ({"name": "A", "staff": [{"name": "B", "employer": None}]},)),
    SchemaCase("frozen and strict", Frozen, ({"day": "2025-11-23", "color": "red"},)),
    SchemaCase("aliases made by rule", Snake, ({"First_Name": "Ada", "Last_Name": None},)),
    SchemaCase("documented", Documented, ({"name": "Ada"},)),
    SchemaCase("default from a factory", Tagged, ({"name": "Ada", "tags": ["a"]},), made_up=("tags",)),
    SchemaCase("dataclass with a default from a factory", Parts, ({"parts": [{"name": "nut", "sizes": [1]}]},),
               made_up=("LoosePart.sizes",)),
    # Schemas without a strict form.
    field("pair without names", Place, [1.5, 2.5], obstacle="prefixItems at Place"),
    field("tuple or none", tuple[int, str] | None, [1, "a"], None, obstacle="prefixItems at value"),
    field("frozen set", frozenset[str], ["a"], obstacle="uniqueItems at value"),
    field("secret", SecretStr, "**********", obstacle="format 'password' at value"),
    field("exact numbers in a dict", dict[str, Decimal], {"a": "1.5"}, obstacle="free keys at value"),
    field("dict of anything", dict[str, Any], {"a": [1, None]}, obstacle="free keys at value"),
    field("dict of models", dict[str, Point], {"a": {"x": 1, "y": 2}}, obstacle="free keys at value"),
    field("enum as keys", dict[Color, int], {"red": 1}, obstacle="propertyNames at value|free keys at value"),
    field("list of dicts", list[dict[str, int]], [{"a": 1}], obstacle=r"free keys at value\[\]"),
    field("text of at most a length", Annotated[str, Field(max_length=3)], "abc", obstacle="maxLength at value"),
    field("recursive alias of JSON", Any | None, 1, None, {"a": [1]}, obstacle="any value at value", default=None),
]  # fmt: skip
