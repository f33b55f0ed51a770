"""Tools whose arguments contain themselves: the recursion is sent, in a form that Moonshot AI accepts."""

from typing import Any

import pytest
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_kimi.testing import Emulator, Reply
from tests.faults.ways import WAYS, ask, model_of


class Node(BaseModel):
    """A node of a tree."""

    value: int
    children: list["Node"] = []


class Menu(BaseModel):
    """A menu of menus."""

    entries: list["Menu"]


def save(node: Node | None = None) -> str:
    """Save a tree.

    Args:
        node: The root of the tree.
    """
    return str(node)


def count(size: int, anything: Any = None) -> str:
    """Count."""
    return f"{size}{anything}"


@tool(args_schema={"type": "object", "properties": {"x": {}}})
def keep(x: Any) -> str:
    """Keep a value."""
    return str(x)


NODE = {"$ref": "#/$defs/Node"}
MENUS = {"anyOf": [{"type": "array", "maxItems": 0}, {"type": "array", "items": {"$ref": "#/$defs/Menu"}}]}


def sent(openrouter: Emulator, way: str, offered: Any) -> dict[str, Any]:
    openrouter.script(Reply(text="Done."))
    with model_of(openrouter, model="moonshotai/kimi-k2.6", max_retries=0) as model:
        outcome = ask(model.bind_tools([offered]), way)
    assert outcome.error is None, outcome.error
    assert outcome.message
    assert "schema_changes" not in outcome.message.response_metadata.get("kimi", {})
    parameters: dict[str, Any] = openrouter.bodies[-1]["tools"][0]["function"]["parameters"]
    return parameters


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
def test_the_arguments_of_functions_and_tools_stay_recursive(openrouter: Emulator, way: str) -> None:
    for offered in (save, tool(save)):
        parameters = sent(openrouter, way, offered)
        assert parameters["$defs"]["Node"]["properties"]["children"]["items"] == NODE
        assert NODE in parameters["properties"]["node"]["anyOf"]
    assert sent(openrouter, way, save)["properties"]["node"]["description"] == "The root of the tree."
    for without_tree in (count, tool(count), keep):
        assert "$defs" not in sent(openrouter, way, without_tree)


@pytest.mark.parametrize("way", WAYS)
def test_a_required_array_of_itself_is_accepted(openrouter: Emulator, way: str) -> None:
    parameters = sent(openrouter, way, Menu)
    assert parameters["properties"]["entries"] == MENUS
    assert parameters["$defs"]["Menu"]["properties"]["entries"] == MENUS
