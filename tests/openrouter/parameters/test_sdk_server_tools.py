"""The server tools of OpenRouter's own SDK are an oracle: each is typed here, with all its parameters."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from langchain_kimi._openrouter.parameters.server_tools import BY_TYPE
from tests.rows import each_row

components: Any = pytest.importorskip("openrouter").components


def leaves(annotation: Any) -> Iterator[Any]:
    """Yield the models and the strings in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for part in get_args(getattr(annotation, "__value__", annotation)):
            yield from leaves(part)


def tools_of_the_sdk() -> dict[str, Any]:
    """Return the models of the server tools of chat completions, by their type on the wire."""
    kinds = set(leaves(components.ChatRequest.model_fields["tools"].annotation))
    types = {name: kind for kind in kinds for name in leaves(kind.model_fields["type"].annotation)}
    return {name: types[name] for name in sorted(types) if name.startswith("openrouter:")}


def test_every_server_tool_of_the_sdk_is_typed_here() -> None:
    assert len(tools_of_the_sdk()) >= 10
    assert sorted(set(tools_of_the_sdk()) - set(BY_TYPE)) == []


@each_row("tool_type, kind", [*tools_of_the_sdk().items()])
def test_every_parameter_of_the_sdk_is_typed_here(tool_type: str, kind: Any) -> None:
    [parameters] = leaves(kind.model_fields["parameters"].annotation)
    ours = set(vars(BY_TYPE[tool_type])["__dataclass_fields__"])
    assert {field.alias or name for name, field in parameters.model_fields.items()} - ours == set()
