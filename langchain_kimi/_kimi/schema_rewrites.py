"""Rewrite single schemas to equivalent ones that Moonshot AI accepts: enums, types, lists, required properties."""

import math
import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from langchain_kimi._kimi.schema_merging import ANNOTATIONS, LABELS, NEVER, CannotMergeError, common_types, intersection
from langchain_kimi._kimi.schema_references import ANYTHING
from langchain_kimi._openrouter.json_schema import DEFINITIONS, type_of, types_of
from langchain_kimi._openrouter.wire import JSONObject

TYPING = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "not"})
"""Keywords beside which no type is added, because they determine it or because Moonshot AI refuses it."""

_KEYWORDS_OF_TYPE = {
    "object": {"properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"}
    | {"propertyNames", "dependentRequired", "dependentSchemas", "unevaluatedProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"}
    | {"unevaluatedItems"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
}
_KEYWORDS_OF_TYPE["integer"] = _KEYWORDS_OF_TYPE["number"]
_NUMBERS = {"integer", "number"}
UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
_MAX_MEMBERS, _MAX_BRANCHES = 1000, 500
"""The limits of Moonshot AI's validator for the members of an enum and the branches of an `anyOf`."""


def with_one_item_schema(schema: JSONObject) -> JSONObject:
    """Return a schema whose `items` is not a list or false: a list becomes `prefixItems`, and false `maxItems`.

    If all `prefixItems` are equal and there are no other items, they become one schema in `items`.
    """
    items = schema.get("items")
    if isinstance(items, list):
        other_keywords = {
            keyword: value for keyword, value in schema.items() if keyword not in ("items", "additionalItems")
        }
        more = {"items": schema["additionalItems"]} if "additionalItems" in schema else {}
        schema = {**other_keywords, "prefixItems": items, **more} if items else {**other_keywords, **more}
    if schema.get("items") is False:
        other_keywords = {keyword: value for keyword, value in schema.items() if keyword != "items"}
        limit = min(len(schema.get("prefixItems") or ()), _max_items(schema))
        schema = {**other_keywords, "maxItems": limit}
    first, *others = schema.get("prefixItems") or [None]
    is_closed = _max_items(schema) <= len(others) + 1
    if "prefixItems" not in schema or not is_closed or any(other != first for other in others):
        return schema
    if not isinstance(first, dict):
        return schema
    return {**{keyword: value for keyword, value in schema.items() if keyword != "prefixItems"}, "items": first}


def _max_items(schema: JSONObject) -> float:
    limit = schema.get("maxItems")
    return limit if isinstance(limit, int | float) else math.inf


def with_declared_properties(schema: JSONObject) -> JSONObject:
    """Return a schema that declares each required property; undeclared ones get the schema that applies to them."""
    missing = [name for name in schema.get("required") or () if name not in (schema.get("properties") or {})]
    if not missing:
        return schema
    properties = {**(schema.get("properties") or {}), **{name: _undeclared(schema, name) for name in missing}}
    return {**schema, "properties": properties}


def _undeclared(schema: JSONObject, name: str) -> JSONObject:
    patterns = [pattern for pattern in schema.get("patternProperties") or () if _may_match(pattern, name)]
    additional = True if patterns else schema.get("additionalProperties", True)
    if isinstance(additional, dict) and additional:
        return additional
    return dict(NEVER) if additional is False else ANYTHING


def _may_match(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return True


def with_typed_enum(schema: JSONObject) -> JSONObject:
    """Return a schema whose enum has members of one type, or of one type and null.

    An enum with more types becomes an `anyOf` with a branch for each type.
    """
    if "enum" not in schema:
        return schema
    allowed = types_of(schema)
    groups: dict[str, list[Any]] = {}
    for member in schema["enum"]:
        kind = _member_type(member, allowed)
        if kind is not None:
            groups.setdefault(kind, []).append(member)
    if set(groups) >= _NUMBERS and "integer" not in allowed:
        groups["number"] = [member for member in schema["enum"] if type_of(member) in _NUMBERS]
        del groups["integer"]
    other_keywords = {keyword: value for keyword, value in schema.items() if keyword not in ("type", "enum")}
    if not groups:
        return {**{keyword: value for keyword, value in other_keywords.items() if keyword in LABELS}, **NEVER}
    if len(groups) == 1 or (len(groups) == 2 and "null" in groups and not {"object", "array"} & set(groups)):  # noqa: PLR2004 - a type and null
        return _with_one_enum(schema, groups, other_keywords)
    branches = [{"type": kind, "enum": members} for kind, members in groups.items()]
    return _with_branches(other_keywords, [branch for whole in branches for branch in _small_enums(whole)])


def _with_one_enum(schema: JSONObject, groups: dict[str, list[Any]], other_keywords: JSONObject) -> JSONObject:
    """Return a schema whose members have one type, or one type and null, as enums of an accepted size."""
    allowed_ids = {id(member) for group in groups.values() for member in group}
    members = [member for member in schema["enum"] if id(member) in allowed_ids]
    # With a numeric type before null, Moonshot AI refuses the member null.
    kinds = sorted(groups, key=lambda kind: kind != "null") if _NUMBERS & set(groups) else _in_order(groups, schema)
    allowed = types_of(schema)
    is_right = len(allowed) <= 2 and set(groups) <= set(allowed) and not (_NUMBERS & set(allowed[:1]) and allowed[1:])  # noqa: PLR2004 - a type and null
    is_pair = "null" in allowed and not {"object", "array"} & set(allowed)
    is_same = is_right and members == schema["enum"] and len(members) <= _MAX_MEMBERS
    if is_same and (len(allowed) == 1 or is_pair):
        return schema
    enum = {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": members}
    parts = list(_small_enums(enum))
    return {**enum, **other_keywords} if len(parts) == 1 else _with_branches(other_keywords, parts)


def _in_order(groups: dict[str, list[Any]], schema: JSONObject) -> list[str]:
    allowed = types_of(schema)
    return [kind for kind in allowed if kind in groups] or sorted(groups, key=lambda kind: kind == "null")


def _member_type(member: Any, allowed: list[str]) -> str | None:
    kind = type_of(member)
    if kind == "number" and member.is_integer() and "integer" in allowed and "number" not in allowed:
        kind = "integer"
    if not allowed or kind in allowed:
        return kind
    return "number" if kind == "integer" and "number" in allowed else None


def _small_enums(schema: JSONObject) -> Iterator[JSONObject]:
    members = schema["enum"]
    for start in range(0, len(members), _MAX_MEMBERS):
        yield {**schema, "enum": members[start : start + _MAX_MEMBERS]}


def _with_branches(other_keywords: JSONObject, branches: list[JSONObject]) -> JSONObject:
    if "anyOf" in other_keywords:
        other_keywords = {
            **other_keywords,
            "allOf": [*other_keywords.get("allOf", ()), {"anyOf": other_keywords["anyOf"]}],
        }
    return {**other_keywords, "anyOf": branches}


def with_single_types(schema: JSONObject) -> JSONObject:
    """Return a schema in which a list of types has only annotations beside it.

    With other keywords, the list becomes an `anyOf` with a branch for each type and its keywords.
    """
    types = list(dict.fromkeys(types_of(schema)))
    if len(types) < 2 or "enum" in schema or not set(schema) - LABELS - {"type"}:  # noqa: PLR2004 - several types
        return schema
    moved = {"type"}.union(*(_KEYWORDS_OF_TYPE.get(name, ()) for name in types))
    branches = [
        {"type": name, **{keyword: schema[keyword] for keyword in schema if keyword in _KEYWORDS_OF_TYPE.get(name, ())}}
        for name in types
    ]
    other_keywords = {keyword: value for keyword, value in schema.items() if keyword not in moved}
    return {**other_keywords, "anyOf": branches}


def with_type(schema: JSONObject) -> JSONObject:
    """Return the schema of a property with the type that its keywords imply, or with all types.

    It stays unchanged if its keywords belong to several types, or to none.
    """
    if TYPING & set(schema):
        return schema
    if "const" in schema:
        return {"type": type_of(schema["const"]), **schema}
    kinds = {kind for kind, words in _KEYWORDS_OF_TYPE.items() if kind != "integer" and words & set(schema)}
    if len(kinds) == 1:
        return {"type": kinds.pop(), **schema}
    return schema if kinds or set(schema) - ANNOTATIONS else {**ANYTHING, **schema}


def with_accepted_branches(
    schema: JSONObject, *, is_root: bool, may_copy: Callable[[JSONObject, int], bool]
) -> JSONObject:
    """Return a schema that shares no keyword with the branches of its `anyOf`; shared ones move into the branches.

    Branches that no value matches are removed. At the root, the type stays beside `anyOf`.

    Args:
        schema: The schema.
        is_root: Whether it is the root.
        may_copy: Takes the shared keywords and a number of copies, and returns whether they may be copied. If not, the
            branches move into `allOf`, which Moonshot AI's validator does not visit.
    """
    if "anyOf" not in schema:
        return schema
    branches = [branch for branch in schema["anyOf"] if branch is not False and branch != NEVER]
    other_keywords = {keyword: value for keyword, value in schema.items() if keyword != "anyOf"}
    if any(branch is True or branch == {} for branch in branches):
        return other_keywords
    if not branches:
        return {**{keyword: value for keyword, value in other_keywords.items() if keyword in LABELS}, **NEVER}
    shared_labels = (ANNOTATIONS - LABELS) & set(other_keywords)
    branches = [_without(branch, shared_labels) for branch in branches]
    stays = ANNOTATIONS | set(DEFINITIONS) | {"$id", "$schema"} | ({"type"} if is_root else set())
    moving = {keyword: value for keyword, value in other_keywords.items() if keyword not in stays}
    if _has_conflict(moving, branches):
        copied = {keyword: moving[keyword] for keyword in moving if keyword != "type"}
        # The effect of these keywords depends on all branches that match.
        if UNEVALUATED & set(moving) or not may_copy(copied, len(branches) - 1):
            return {**other_keywords, "allOf": [*other_keywords.get("allOf", ()), {"anyOf": branches}]}
        shared = {**moving, "type": "object"} if is_root else moving
        branches = [_narrowed(shared, branch) for branch in branches]
        branches = [branch for branch in branches if branch != NEVER] or [dict(NEVER)]
        other_keywords = {keyword: value for keyword, value in other_keywords.items() if keyword in stays}
    while len(branches) > _MAX_BRANCHES:
        starts = range(0, len(branches), _MAX_BRANCHES)
        branches = [{"anyOf": branches[start : start + _MAX_BRANCHES]} for start in starts]
    if branches == schema["anyOf"] and len(other_keywords) == len(schema) - 1:
        return schema
    return {"anyOf": branches, **other_keywords}


def _without(schema: JSONObject, keywords: AbstractSet[str]) -> JSONObject:
    if not keywords & set(schema):
        return schema
    return {keyword: value for keyword, value in schema.items() if keyword not in keywords}


def _has_conflict(moving: JSONObject, branches: list[JSONObject]) -> bool:
    """Return whether Moonshot AI refuses some of these keywords beside the branches."""
    objects = {"properties", "additionalProperties", "required"}
    return "type" in moving or any(
        set(moving) & set(branch) - {"anyOf"} or ("required" in branch and objects & set(moving)) for branch in branches
    )


def _narrowed(shared: JSONObject, branch: JSONObject) -> JSONObject:
    """Return a branch that also requires the shared keywords."""
    kinds, branch_kinds = types_of(shared), types_of(branch)
    if kinds and branch_kinds and not common_types(kinds, branch_kinds):
        return dict(NEVER)
    try:
        return intersection(shared, branch)
    except CannotMergeError:
        return {"allOf": [shared, branch]}
