from typing import Annotated, Any, Dict, Literal, NotRequired, Optional, Required, TypedDict  # noqa: UP035 - as users do

import pytest
import typing_extensions

from langchain_kimi._schemas.output import output_schema
from langchain_kimi._schemas.typed_dicts import is_typed_dict, typed_dict_model


class Leaf(TypedDict, total=False):
    size: int
    tree: "Tree"


class Tree(TypedDict):
    """A tree.

    Args:
        kind: What kind of tree.
    """

    kind: Literal["oak", "fir"]
    age: NotRequired[Annotated[int, 3, "in years"]]
    name: Annotated[str | None, None, "if it has one"]
    label: Annotated[NotRequired[str], ..., "on a sign"]
    parts: "list[Tree]"
    mother: Required["Tree | None"]
    leaf: Leaf
    leaves: Dict[str, Leaf]  # noqa: UP006 - the old spelling
    last: Optional[Leaf]  # noqa: UP045 - the old spelling
    rings: tuple[int, ...]


class Newer(typing_extensions.TypedDict):
    name: typing_extensions.NotRequired[str]


Odd = TypedDict("Odd", {"first name": str, "json": NotRequired[int], "_x": str})


def words(schema: Any, name: str) -> Any:
    return {key: value for key, value in schema["properties"][name].items() if key != "title"}


def test_each_kind_of_key_has_its_schema() -> None:
    schema = typed_dict_model(Tree).model_json_schema()
    tree, leaf = schema["$defs"]["Tree"], schema["$defs"]["Leaf"]
    assert schema["$ref"] == "#/$defs/Tree"
    assert tree["required"] == ["kind", "parts", "mother", "leaf", "leaves", "last", "rings"]
    assert words(tree, "kind") == {"type": "string", "enum": ["oak", "fir"]}
    assert words(tree, "age") == {"type": "integer", "default": 3, "description": "in years"}
    assert words(tree, "name")["default"] is None
    assert words(tree, "label") == {"type": "string", "description": "on a sign"}
    assert words(tree, "parts") == {"type": "array", "items": {"$ref": "#/$defs/Tree"}}
    assert words(tree, "mother")["anyOf"][0] == {"$ref": "#/$defs/Tree"}
    assert words(tree, "leaves")["additionalProperties"] == {"$ref": "#/$defs/Leaf"}
    assert words(tree, "last")["anyOf"][0] == {"$ref": "#/$defs/Leaf"}
    assert words(tree, "rings") == {"type": "array", "items": {"type": "integer"}}
    assert tree["description"].startswith("A tree.")
    assert "required" not in leaf
    assert "description" not in leaf
    assert words(leaf, "tree") == {"$ref": "#/$defs/Tree"}


def test_two_typed_dicts_of_one_name_are_distinct() -> None:
    def leaf() -> Any:
        class Leaf(TypedDict):
            color: str

        return Leaf

    both = TypedDict("both", {"one": Leaf, "other": leaf()})  # type: ignore[misc]  # noqa: UP013 - made here
    properties = typed_dict_model(both).model_json_schema()["properties"]
    assert properties["one"] != properties["other"]


def test_keys_need_not_be_names() -> None:
    schema = typed_dict_model(Odd).model_json_schema()
    assert list(schema["properties"]) == ["first name", "json", "_x"]
    assert schema["required"] == ["first name", "_x"]


@pytest.mark.parametrize(("kind", "answer"), [(Tree, True), (Newer, True), (dict, False), (5, False), (list, False)])
def test_typed_dicts_are_recognized(kind: Any, answer: object) -> None:
    assert is_typed_dict(kind) is answer


@pytest.mark.parametrize("kind", [Newer, Odd, Tree])
def test_any_typed_dict_can_be_requested(kind: Any) -> None:
    schema = output_schema(kind)
    sent = schema.response_format(strict=None)["json_schema"]
    assert (sent["name"], sent["schema"]["type"]) == (kind.__name__, "object")
    assert schema.tool()["function"]["parameters"]["properties"].keys() == kind.__annotations__.keys()


def test_optional_keys_may_be_missing() -> None:
    assert output_schema(Newer).validated({}) == {}
    assert output_schema(Odd).validated({"first name": "A", "_x": ""}) == {"first name": "A", "_x": ""}


def test_typed_dicts_of_one_name_and_one_like_it_stay_apart() -> None:
    make: Any = TypedDict
    kinds = [make("A", {"x": int}), make("A3", {"y": int}), make("A", {"z": int})]
    definition = output_schema(make("Root", dict(zip("abcd", [*kinds, kinds[1]], strict=True)))).definition
    targets = [definition["$defs"][part["$ref"].removeprefix("#/$defs/")] for part in definition["properties"].values()]
    assert [list(target["properties"]) for target in targets] == [["x"], ["y"], ["z"], ["y"]]
