"""Rewrite the schemas of tools to equivalent ones in the dialect that Moonshot AI accepts.

For other schemas its error is "not a valid moonshot flavored json schema". The rules come from its validator at the
level `strict` (https://github.com/MoonshotAI/walle) and from reports of clients (vercel/ai issue 18921):

- The root has the type `object`, and every property has a type.
- The members of an enum have the type of the enum, and no `type` is beside `anyOf`.
- A `$ref` points to `#/$defs/` and has no other keyword beside it.
- `items` is one schema, required properties are declared, and a schema is not a boolean.
"""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from langchain_kimi._kimi.schema_forms import in_common_form
from langchain_kimi._kimi.schema_limits import RESERVED_NAMES, VALUE_TYPES, limits_exceeded, problems_of, size_of
from langchain_kimi._kimi.schema_merging import ANNOTATIONS, NEVER, CannotMergeError, intersection
from langchain_kimi._kimi.schema_references import ANYTHING, Definitions, endless_reference, with_empty_arrays
from langchain_kimi._kimi.schema_rewrites import (
    TYPING,
    UNEVALUATED,
    with_accepted_branches,
    with_declared_properties,
    with_one_item_schema,
    with_single_types,
    with_type,
    with_typed_enum,
)
from langchain_kimi._openrouter.json_schema import DEFINITIONS, Path, references, types_of, walk, with_subschemas
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.errors import KimiUsageError

_GROWTH, _FREE_GROWTH = 2, 20_000
"""The limit of growth by copies: this multiple of a schema's size, and this number of bytes in addition.

Definitions that contain each other twice would otherwise double the schema with each of them.
"""
_MAX_INLINED = 8
"""The maximum number of references that are inlined inside each other, because the depth of a schema is limited."""
_MAX_PASSES = 4
"""The maximum number of passes over a schema. Random schemas needed two or three."""
_MAY_BE_BOOLEAN = frozenset({"additionalProperties", "additionalItems", "unevaluatedItems", "unevaluatedProperties"})
_MAY_BE_BOOLEAN |= {"not", "if", "then", "else", "contains", "propertyNames"}
# A reference may be directly under these keywords; the validator does not visit `allOf`, `oneOf` and `prefixItems`.
_MAY_BE_REFERENCE = frozenset({"properties", "$defs", "items", "additionalProperties", "anyOf", "allOf", "oneOf"})
_MAY_BE_REFERENCE |= {"prefixItems"}
# Required properties under these keywords are not declared, because a declaration could change which values match.
_NOT_VISITED = frozenset({"allOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "contains"})
_ADVICE = 'Change the schema, or remove "schemas" from `repairs` if this model sends no request to Moonshot AI itself.'


def with_moonshot_schemas(tools: list[JSONObject]) -> list[JSONObject]:
    """Return the tools with schemas that Moonshot AI accepts; the same list if it accepts all of them.

    Changed tools are copies. A warning names schemas that Moonshot AI may refuse nevertheless.

    Raises:
        KimiUsageError: A schema has no accepted equivalent. The error names the tool and the place in its schema.
    """
    rewritten = [_tool(tool) for tool in tools]
    return tools if all(new is old for new, old in zip(rewritten, tools, strict=True)) else rewritten


def schema_notes(tools: list[JSONObject]) -> dict[str, list[str]]:
    """Return the rewrites that change which arguments a tool's schema allows, by the tool's name."""
    notes: dict[str, list[str]] = {}
    for tool in tools:
        function = tool.get("function")
        if isinstance(function, dict) and isinstance(parameters := function.get("parameters"), dict):
            changes = _repaired(parameters, str(function.get("name"))).notes
            if changes:
                notes[str(function.get("name"))] = list(changes)
    return notes


@dataclass(frozen=True, slots=True)
class _Repaired:
    """The repair of one schema.

    Attributes:
        schema: The accepted schema as JSON text; None if the schema is accepted unchanged.
        notes: The rewrites that change which arguments are allowed.
        exceeded: The rules that the schema still breaks. The service does not always enforce them.
    """

    schema: str | None
    notes: tuple[str, ...]
    exceeded: tuple[str, ...]


def _repaired(schema: JSONObject, tool: str) -> _Repaired:
    # A model usually has the same tools in each call. The cache contains text, so that no caller can modify it.
    return _repair_of(json.dumps(schema), tool)


# A call with more tools than this repairs each schema again, which doubles the time of its request.
@lru_cache(maxsize=8192)
def _repair_of(schema: str, tool: str) -> _Repaired:
    before = json.loads(schema)
    after, notes, exceeded = rewritten_schema(before, tool)
    return _Repaired(None if after is before else json.dumps(after), notes, exceeded)


def rewritten_schema(schema: JSONObject, tool: str) -> tuple[JSONObject, tuple[str, ...], tuple[str, ...]]:
    """Return an accepted schema, the rewrites that change the allowed arguments, and the rules that it still breaks.

    The schema is the same object if it is accepted unchanged. Arguments are always an object, so other types at the
    root are removed.

    A changed schema is rewritten again, because one rewrite may make another one possible: for example, an `anyOf` with
    one remaining branch is replaced by the branch.

    Raises:
        KimiUsageError: There is no equivalent schema that Moonshot AI accepts.
    """
    notes: dict[str, None] = {}
    passes = 0
    schema = in_common_form(schema)
    while True:
        rewriter = _Rewriter(schema, tool)
        after = rewriter.parameters()
        notes |= dict.fromkeys(rewriter.notes)
        passes += 1
        if after == schema or passes == _MAX_PASSES:
            # If the schema is equal, the same object shows that nothing has changed.
            return schema if after == schema else after, tuple(notes), tuple(rewriter.exceeded)
        schema = after


def _tool(tool: JSONObject) -> JSONObject:
    """Return a tool with an accepted schema; see `with_moonshot_schemas`."""
    function = tool.get("function")
    if not isinstance(function, dict) or "parameters" not in function:
        return tool
    parameters = function["parameters"]
    schema = {} if parameters is None else parameters
    if not isinstance(schema, dict):
        raise _refusal(str(function.get("name")), (), f"is not a schema but {schema!r:.50}")
    name = str(function.get("name"))
    repaired = _repaired(schema, name)
    for note in repaired.exceeded:
        warn_user(f"Moonshot AI may refuse the schema of the tool {name}: {note}.")
    if repaired.schema is None:
        return tool
    return {**tool, "function": {**function, "parameters": json.loads(repaired.schema)}}


def _refusal(tool: str, path: Path, problem: str) -> KimiUsageError:
    place = ".".join(["parameters", *path])
    return KimiUsageError(f"Moonshot AI refuses the schema of the tool {tool}: {place} {problem}.", advice=_ADVICE)


class _Rewriter:
    """Rewrites the parameters of a tool in one pass.

    In its methods, `path` is the position in the schema, and `within` are the references that are being followed.
    """

    def __init__(self, root: JSONObject, tool: str) -> None:
        self.notes: list[str] = []
        self.exceeded: list[str] = []
        self._tool = tool
        self._root = root
        self._definitions = Definitions(root)
        self._written: dict[str, JSONObject] = {}
        self._sizes: dict[str, int] = {}

    @cached_property
    def _growth_left(self) -> list[int]:
        """The number of bytes by which copies may still make the schema larger, in a list that is updated."""
        return [_GROWTH * size_of(self._root) + _FREE_GROWTH]

    def parameters(self) -> JSONObject:
        """Return the accepted schema; the root itself if nothing was changed."""
        root = self._checked(self._without_root_reference(self._root), ())
        types = types_of(root)
        if types and "object" not in types:
            raise self._refusal((), f"must have the type object, not {' or '.join(map(str, types))}")
        if root.get("type") != "object":
            if "#" in references(self._root):
                self.notes.append("parameters: type object added")
            root = {"type": "object", **{keyword: value for keyword, value in root.items() if keyword != "type"}}
        root = self._with_one_branch(root)
        if root.get("properties") is None and not TYPING & set(root) - {"type"}:
            root = {**root, "properties": {}}
        rewritten = self._rewritten(root, (), (), is_root=True)
        if rewritten["type"] != "object":
            # The schema has become `NEVER`.
            rewritten = {"type": "object", "properties": {}, "not": {}}
        rewritten = self._with_definitions(rewritten)
        if endless_reference(rewritten):
            rewritten = with_empty_arrays(rewritten)
        if endless := endless_reference(rewritten):
            raise self._refusal((), f"requires {endless}, which contains itself without an end")
        if rewritten is not self._root:
            keywords = {keyword for _, inner in walk(self._root) for keyword in UNEVALUATED & set(inner)}
            self.notes += [f"parameters: {keyword} may apply to other values" for keyword in sorted(keywords)]
        self.exceeded = list(limits_exceeded(rewritten))
        self.notes += self.exceeded
        return rewritten

    def _without_root_reference(self, root: JSONObject) -> JSONObject:
        """Return the root merged with the target of its reference, because the root must not be a reference."""
        followed: list[str] = []
        while isinstance(reference := root.get("$ref"), str):
            accepted = self._definitions.accepted(reference)
            if accepted is None or accepted == "#" or accepted in followed:
                raise self._refusal((), f"refers to {reference}, which is not defined")
            followed.append(accepted)
            other_keywords = {
                keyword: value for keyword, value in root.items() if keyword not in ("$ref", *DEFINITIONS)
            }
            try:
                root = intersection(self._definitions.target(accepted), other_keywords)
            except CannotMergeError:
                root = {"type": "object", "allOf": [{"$ref": reference}, other_keywords]}
        return root

    def _with_one_branch(self, root: JSONObject) -> JSONObject:
        """Return a root without branches of other types than object, and without `anyOf` if one branch is left."""
        branches = root.get("anyOf")
        if not isinstance(branches, list) or not all(isinstance(branch, dict) for branch in branches):
            return root
        objects = [branch for branch in branches if not types_of(branch) or "object" in types_of(branch)]
        other_keywords = {keyword: value for keyword, value in root.items() if keyword not in ("anyOf", *DEFINITIONS)}
        if not objects and branches:
            return {"type": "object", "properties": {}, "not": {}}
        if len(objects) == 1:
            try:
                return self._without_root_reference(intersection(other_keywords, objects[0]))
            except CannotMergeError:
                return {"type": "object", "allOf": [other_keywords, objects[0]]}
        return {**root, "anyOf": objects} if len(objects) < len(branches) else root

    def _with_definitions(self, root: JSONObject) -> JSONObject:
        """Return the root with all definitions, rewritten, except those that are inlined."""
        bare = {keyword: value for keyword, value in root.items() if keyword not in DEFINITIONS}
        names = list(self._definitions.schemas)
        # A rewrite may add definitions to the end of the list.
        for name in names:
            reference = f"#/$defs/{name}"
            if not self._definitions.must_be_inlined(reference):
                try:
                    self._written[name] = self._rewritten(self._definitions.target(reference), ("$defs", name), ())
                except KimiUsageError:
                    # A definition that nothing refers to can be left out.
                    if self._definitions.is_used(reference):
                        raise
            names += list(self._definitions.schemas)[len(names) :]
        original = root.get("$defs") or {}
        written = self._written
        is_same = list(original) == list(written) and all(original[name] is written[name] for name in written)
        if is_same and "definitions" not in root:
            return root
        return {**bare, "$defs": written} if written else bare

    def _rewritten(self, schema: Any, path: Path, within: tuple[str, ...], *, is_root: bool = False) -> JSONObject:
        if isinstance(schema, bool):
            return ANYTHING if schema else dict(NEVER)
        if not isinstance(schema, dict):
            raise self._refusal(path, f"is not a schema but {schema!r:.50}")
        schema = with_one_item_schema(self._checked(schema, path))
        if "$ref" in schema:
            return self._with_reference_alone(schema, path, within)
        schema = with_accepted_branches(with_typed_enum(schema), is_root=is_root, may_copy=self._may_copy)
        if not is_root:
            schema = with_single_types(schema)
        if not set(path) & _NOT_VISITED:
            schema = with_declared_properties(schema)
        schema = self._without_reserved_names(schema)
        rewritten = with_subschemas(schema, lambda step, inner: self._inner(inner, path, step, within))
        # The target of an inlined reference may have keywords in the branches that the schema has too.
        accepted = with_accepted_branches(rewritten, is_root=is_root, may_copy=self._may_copy)
        return rewritten if accepted is rewritten else self._rewritten(accepted, path, within, is_root=is_root)

    def _inner(self, schema: Any, path: Path, step: Path, within: tuple[str, ...]) -> Any:
        """Return the accepted form of a schema inside another one."""
        keyword = step[0]
        if (isinstance(schema, bool) and keyword in _MAY_BE_BOOLEAN) or (keyword in DEFINITIONS and not path):
            return schema
        rewritten = self._rewritten(schema, (*path, *step), within)
        if keyword == "properties":
            return self._with_type(rewritten, (*path, *step))
        if "$ref" in rewritten and keyword not in _MAY_BE_REFERENCE:
            return {"anyOf": [rewritten]}
        return rewritten

    def _with_reference_alone(self, schema: JSONObject, path: Path, within: tuple[str, ...]) -> JSONObject:
        """Return a reference without keywords beside it, or its target merged with them."""
        reference = self._definitions.accepted(schema["$ref"])
        if reference is None:
            raise self._refusal(path, f"refers to {schema['$ref']}, which is not defined")
        beside = {keyword: value for keyword, value in schema.items() if keyword not in ("$ref", *DEFINITIONS)}
        is_recursive = reference in within or self._definitions.is_recursive(reference)
        if self._definitions.must_be_inlined(reference):
            if is_recursive:
                raise self._refusal(path, f"refers to {reference}, which is recursive and has a slash in a key")
        elif not beside:
            return schema if schema == {"$ref": reference} else {"$ref": reference}
        target = self._definitions.target(reference)
        may_inline = self._definitions.must_be_inlined(reference) or (
            len(within) < _MAX_INLINED and self._may_inline(reference, target)
        )
        if is_recursive or not may_inline:
            return self._beside_reference(reference, beside, path, within)
        try:
            merged = intersection(target, beside)
        except CannotMergeError:
            return {"allOf": [{"$ref": reference}, self._rewritten(beside, (*path, "allOf"), within)]}
        return self._rewritten(merged, path, (*within, reference))

    def _with_type(self, schema: JSONObject, path: Path) -> JSONObject:
        typed = with_type(schema)
        if "type" in typed and not {"type", "const"} & set(schema):
            self.notes.append(f"{'.'.join(['parameters', *path])}: type {typed['type']} added")
        return typed

    def _may_inline(self, reference: str, target: JSONObject) -> bool:
        if reference not in self._sizes:
            self._sizes[reference] = size_of(target)
        return self._has_growth_left(self._sizes[reference])

    def _may_copy(self, schema: JSONObject, times: int) -> bool:
        return not schema or self._has_growth_left(size_of(schema) * times)

    def _has_growth_left(self, size: int) -> bool:
        """Return whether the schema may grow by a number of bytes, and subtract them from the allowed growth if so."""
        if size > self._growth_left[0]:
            return False
        self._growth_left[0] -= size
        return True

    def _beside_reference(self, reference: str, beside: JSONObject, path: Path, within: tuple[str, ...]) -> JSONObject:
        """Return a reference that is not inlined, with the keywords beside it that its target does not imply."""
        target = self._definitions.target(reference)
        labels = {keyword: value for keyword, value in beside.items() if keyword in ANNOTATIONS}
        other_keywords = {
            keyword: value
            for keyword, value in beside.items()
            if keyword not in ANNOTATIONS and target.get(keyword) != value
        }
        if "type" in other_keywords and types_of(target) and set(types_of(target)) <= set(types_of(other_keywords)):
            del other_keywords["type"]
        if other_keywords:
            return {"allOf": [{"$ref": reference}, self._rewritten(other_keywords, (*path, "allOf"), within)], **labels}
        return {"anyOf": [{"$ref": reference}], **labels} if labels else {"$ref": reference}

    def _checked(self, schema: JSONObject, path: Path) -> JSONObject:
        """Return a schema without keywords whose value is null, and without a boolean `required`.

        Raises:
            KimiUsageError: A keyword has a value that JSON Schema does not allow.
        """
        dropped = [keyword for keyword in VALUE_TYPES if keyword in schema and schema[keyword] is None]
        dropped += ["required"] if isinstance(schema.get("required"), bool) else []
        if dropped:
            place = ".".join(["parameters", *path])
            self.notes += [f"{place}.{keyword}: {schema[keyword]!r} left out" for keyword in dropped]
            schema = {keyword: value for keyword, value in schema.items() if keyword not in dropped}
        for problem in problems_of(schema):
            raise self._refusal(path, problem)
        return schema

    def _without_reserved_names(self, schema: JSONObject) -> JSONObject:
        """Return a schema with optional properties of reserved names in `patternProperties`.

        A required property must be declared, so it keeps its reserved name.
        """
        required = schema.get("required") or ()
        properties: JSONObject = schema.get("properties") or {}
        reserved = [name for name in properties if name in RESERVED_NAMES and name not in required]
        if not reserved:
            return schema
        patterns = {f"^{name.replace('$', '[$]')}$": properties[name] for name in reserved}
        others = {name: value for name, value in properties.items() if name not in reserved}
        return {
            **schema,
            "properties": others,
            "patternProperties": {**(schema.get("patternProperties") or {}), **patterns},
        }

    def _refusal(self, path: Path, problem: str) -> KimiUsageError:
        return _refusal(self._tool, path, problem)
