"""Merge two JSON schemas into one that allows the values that both allow, without `allOf`."""

from collections.abc import Callable
from typing import Any, TypeAlias

from langchain_kimi._openrouter.json_schema import types_of
from langchain_kimi._openrouter.wire import JSONObject

LABELS = frozenset({"title", "description"})
"""Annotations that Moonshot AI accepts both in a schema and in its parent."""
NEVER: JSONObject = {"type": "null", "not": {}}
"""A schema that no value matches, with the type that Moonshot AI requires."""
ANNOTATIONS = LABELS | {"default", "examples", "deprecated", "$comment"}
"""Keywords that do not constrain values."""

_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})
_OBJECT = frozenset({"properties", "additionalProperties"})
# Groups of keywords that depend on each other in the same schema, each with the keywords of it that can be merged.
_GROUPS = (
    (frozenset({"properties", "patternProperties", "additionalProperties", "unevaluatedProperties"}), _OBJECT),
    (frozenset({"prefixItems", "items", "additionalItems", "unevaluatedItems"}), frozenset({"items"})),
    (frozenset({"contains", "minContains", "maxContains"}), frozenset[str]()),
    (frozenset({"if", "then", "else"}), frozenset[str]()),
)

Combine: TypeAlias = Callable[[Any, Any], Any]


class CannotMergeError(ValueError):
    """The intersection of two schemas cannot be written without `allOf`."""


def intersection(outer: JSONObject, inner: JSONObject) -> JSONObject:
    """Return a schema that allows the values that both schemas allow. The annotations of `inner` take precedence.

    Raises:
        CannotMergeError: The result cannot be written without `allOf`.
    """
    _check_groups(outer, inner)
    merged: JSONObject = {**outer, **inner}
    for keyword in [keyword for keyword in merged if keyword in outer and keyword in inner]:
        merged[keyword] = _combined(keyword, outer[keyword], inner[keyword])
    if merged.get("type") == [] or merged.get("enum") == []:
        return dict(NEVER)
    if _OBJECT & set(outer) and _OBJECT & set(inner):
        merged |= _properties(outer, inner)
    return merged


def _check_groups(outer: JSONObject, inner: JSONObject) -> None:
    """Raise a `CannotMergeError` if both schemas have keywords of one group that cannot be merged."""
    for group, mergeable in _GROUPS:
        ours, theirs = group & set(outer), group & set(inner)
        is_pattern_alone = ours | theirs == {"properties", "patternProperties"} and not ours & theirs
        if ours and theirs and not (ours | theirs <= mergeable or is_pattern_alone):
            raise CannotMergeError(min(ours | theirs))


def common_types(outer: list[str], inner: list[str]) -> list[str]:
    """Return the types that both lists allow, where an integer is also a number."""
    common = [kind for kind in inner if kind in outer or (kind == "integer" and "number" in outer)]
    integers = [kind for kind in outer if kind == "integer" and "number" in inner and kind not in common]
    return common + integers


def _combined(keyword: str, outer: Any, inner: Any) -> Any:
    # True equals 1 in Python, but not in JSON.
    if (outer == inner and repr(outer) == repr(inner)) or keyword in ANNOTATIONS:
        return inner
    combine = _COMBINE.get(keyword)
    if combine is None:
        raise CannotMergeError(keyword)
    return combine(outer, inner)


def _types(outer: Any, inner: Any) -> str | list[str]:
    common = common_types(types_of({"type": outer}), types_of({"type": inner}))
    return common[0] if len(common) == 1 else common


def _members(outer: Any, inner: Any) -> list[Any]:
    allowed = {_member_key(member) for member in outer}
    return [member for member in inner if _member_key(member) in allowed]


def _member_key(member: Any) -> Any:
    """Return a key that is equal for equal JSON values: 1 equals 1.0, but not true."""
    if isinstance(member, dict):
        return frozenset((name, _member_key(value)) for name, value in member.items())
    if isinstance(member, list):
        return tuple(map(_member_key, member))
    return isinstance(member, bool), member


def _union(outer: Any, inner: Any) -> list[Any]:
    return list(dict.fromkeys([*outer, *inner]))


def _schemas(outer: Any, inner: Any) -> Any:
    if isinstance(outer, bool) or isinstance(inner, bool):
        return (inner if outer else False) if isinstance(outer, bool) else (outer if inner else False)
    if not (isinstance(outer, dict) and isinstance(inner, dict)):
        # `items` of draft 7 may be a list of schemas, and a schema that is not valid may have a list anywhere.
        raise CannotMergeError("a list")
    return intersection(outer, inner)


def _replaced_by_properties(outer: Any, inner: Any) -> Any:
    # The caller replaces this value by that of `_properties`, which merges both keywords of both schemas.
    del outer
    return inner


_COMBINE: dict[str, Combine] = {
    "type": _types,
    "enum": _members,
    "required": _union,
    "items": _schemas,
    "properties": _replaced_by_properties,
    "additionalProperties": _replaced_by_properties,
    **dict.fromkeys(_LOWER, max),
    **dict.fromkeys(_UPPER, min),
}


def _properties(outer: JSONObject, inner: JSONObject) -> JSONObject:
    """Return `properties` and `additionalProperties` of an intersection.

    The `additionalProperties` of each schema apply to the properties that only the other schema lists.
    """
    ours, theirs = outer.get("properties") or {}, inner.get("properties") or {}
    our_rest, their_rest = outer.get("additionalProperties", True), inner.get("additionalProperties", True)
    names = dict.fromkeys([*ours, *theirs])
    both = {name: _schemas(ours.get(name, our_rest), theirs.get(name, their_rest)) for name in names}
    properties = {name: dict(NEVER) if schema is False else schema for name, schema in both.items()}
    rest = _schemas(our_rest, their_rest)
    return {"properties": properties, **({} if rest is True else {"additionalProperties": rest})}
