"""TypedDicts as pydantic models that have the same JSON schema, with the keys that may be missing, at any depth."""

import inspect
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel, Field, create_model

_PLAIN = (str, int, float, bool, list, dict, tuple, type(None))


def is_typed_dict(kind: Any) -> bool:
    """Tell whether this is a TypedDict, the standard library's or another's."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def typed_dict_model(kind: type) -> type[BaseModel]:
    """Make the model; in `Annotated` a default and a description may follow the type, as everywhere in LangChain.

    Raises:
        TypeError, NameError, pydantic.PydanticUserError: A type in it means nothing to pydantic, or is not defined.
    """
    making = _Making()
    model: type[BaseModel] = making.converted(kind)
    for made in making.models.values():
        made.model_rebuild(_types_namespace=making.models)
    return model


class _Making:
    """The models of one TypedDict and of those in it, by name; a TypedDict inside itself is a reference by name."""

    def __init__(self) -> None:
        self.models: dict[str, type[BaseModel]] = {}
        self._names: dict[type, str] = {}

    def converted(self, kind: Any) -> Any:
        if is_typed_dict(kind):
            name = self._names.get(kind)
            return self._made(kind) if name is None else self.models.get(name, ForwardRef(name))
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Required, NotRequired):
            return self.converted(arguments[0])
        if origin is Annotated:
            return Annotated[self.converted(arguments[0]), *arguments[1:]]
        if origin is None or origin is Literal or not arguments:
            return kind
        inner = tuple(self.converted(argument) for argument in arguments)
        # `X | Y` has no origin that can be subscripted.
        return origin[inner] if hasattr(origin, "__class_getitem__") else Union[inner]  # noqa: UP007 - of a tuple

    def _made(self, kind: type) -> type[BaseModel]:
        name = kind.__name__
        if name in self._names.values():
            name += str(len(self._names))
        self._names[kind] = name
        hints = get_type_hints(kind, include_extras=True)
        required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
        # Keys may be no names at all, or names that a model keeps for itself.
        fields: dict[str, Any] = {
            f"field_{position}": self._field(key, hint, is_required=key in required)
            for position, (key, hint) in enumerate(hints.items())
        }
        # A TypedDict without a docstring shows that of dict.
        doc = kind.__doc__ if kind.__doc__ != dict.__doc__ else None
        made = create_model(name, __doc__=inspect.cleandoc(doc) if doc else None, **fields)
        self.models[name] = made
        return made

    def _field(self, key: str, hint: Any, *, is_required: bool) -> tuple[Any, Any]:
        bare = hint
        while get_origin(bare) in (Required, NotRequired):
            bare = get_args(bare)[0]
        _, *notes = get_args(bare) if get_origin(bare) is Annotated else (bare,)
        default, description = [*notes, ..., ...][:2]
        facts: dict[str, Any] = {"alias": key}
        if isinstance(description, str):
            facts["description"] = description
        if notes and isinstance(default, _PLAIN):
            facts["default"] = default
        elif not is_required:
            # Neither required nor with a default that the schema would show.
            facts["default_factory"] = dict
        return self.converted(hint), Field(**facts)
