from typing import Any

import pytest

from langchain_kimi.testing.moonshot_schemas import check_moonshot_schemas
from langchain_kimi.testing.rejections import RejectedRequestError

STRING = {"type": "string"}


def parameters(**properties: Any) -> list[dict[str, Any]]:
    schema = {"type": "object", "properties": properties, "$defs": {"D": STRING}}
    return [{"type": "function", "function": {"name": "weather", "parameters": schema}}]


@pytest.mark.parametrize(
    "schema",
    [
        STRING,
        {"anyOf": [STRING, {"type": "null"}]},
        {"$ref": "#/$defs/D"},
        {"type": "array", "items": STRING},
        {"type": "string", "enum": ["a"]},
    ],
)
def test_valid_requests_are_accepted(schema: dict[str, Any]) -> None:
    check_moonshot_schemas([*parameters(city=schema), {"type": "openrouter:datetime"}])
    check_moonshot_schemas([{"type": "function", "function": {"name": "weather"}}])


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ({"anyOf": [STRING], "type": "string"}, "type should be defined in anyOf items"),
        ({"$ref": "#/$defs/D", "description": "a"}, "$ref stands alone"),
        ({"type": "array", "prefixItems": [STRING]}, "items is one schema"),
        ({"type": "array", "items": [STRING]}, "items is one schema"),
        ({"type": "string", "enum": ["a", None]}, "enum has a null or empty member"),
        ({"description": "a"}, "type is not defined"),
        (True, "a schema is an object"),
        ({"type": "array", "items": {"anyOf": [{"type": "object", "properties": {"a": {}}}]}}, "city.items.anyOf.0"),
    ],
)
def test_invalid_requests_are_rejected(schema: Any, fault: str) -> None:
    with pytest.raises(RejectedRequestError) as refused:
        check_moonshot_schemas(parameters(city=schema))
    assert fault in str((refused.value.metadata or {})["raw"])
