"""Convert TypedDicts to pydantic models with the same JSON schema, including optional keys, at any depth."""

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
    """Return whether a type is a TypedDict of `typing` or `typing_extensions`."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def typed_dict_model(kind: type) -> type[BaseModel]:
    """Return a pydantic model for a TypedDict.

    As elsewhere in LangChain, a default and a description may follow the type in `Annotated`.

    Raises:
        TypeError, NameError, pydantic.PydanticUserError: pydantic does not support one of its types, or a type cannot
            be resolved.
    """
    converter = _Converter()
    model: type[BaseModel] = converter.converted(kind)
    for inner in converter.models.values():
        inner.model_rebuild(_types_namespace=converter.models)
    return model


class _Converter:
    """Creates the models of a TypedDict and the TypedDicts in it, by name. Recursion becomes a reference by name."""

    def __init__(self) -> None:
        self.models: dict[str, type[BaseModel]] = {}
        self._names: dict[type, str] = {}

    def converted(self, kind: Any) -> Any:
        """Return a type in which TypedDicts are replaced by their models."""
        if is_typed_dict(kind):
            name = self._names.get(kind)
            return self._model(kind) if name is None else self.models.get(name, ForwardRef(name))
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Required, NotRequired):
            return self.converted(arguments[0])
        if origin is Annotated:
            return Annotated[self.converted(arguments[0]), *arguments[1:]]
        if origin is None or origin is Literal or not arguments:
            return kind
        inner = tuple(self.converted(argument) for argument in arguments)
        # The origin of `X | Y` cannot be subscripted.
        return origin[inner] if hasattr(origin, "__class_getitem__") else Union[inner]  # noqa: UP007 - `|` does not take a tuple

    def _model(self, kind: type) -> type[BaseModel]:
        """Create the model of a TypedDict."""
        names, number = set(self._names.values()), len(self._names)
        name = kind.__name__
        while name in names:
            name = f"{kind.__name__}{number}"
            number += 1
        self._names[kind] = name
        hints = get_type_hints(kind, include_extras=True)
        required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
        # A key may not be an identifier, or may be a name that pydantic reserves.
        fields: dict[str, Any] = {
            f"field_{position}": self._field(key, hint, is_required=key in required)
            for position, (key, hint) in enumerate(hints.items())
        }
        # A TypedDict without a docstring inherits that of dict.
        doc = kind.__doc__ if kind.__doc__ != dict.__doc__ else None
        model = create_model(name, __doc__=inspect.cleandoc(doc) if doc else None, **fields)
        self.models[name] = model
        return model

    def _field(self, key: str, hint: Any, *, is_required: bool) -> tuple[Any, Any]:
        """Return the type and the pydantic field for a key."""
        bare = hint
        while get_origin(bare) in (Required, NotRequired):
            bare = get_args(bare)[0]
        _, *notes = get_args(bare) if get_origin(bare) is Annotated else (bare,)
        default, description = [*notes, ..., ...][:2]
        arguments: dict[str, Any] = {"alias": key}
        if isinstance(description, str):
            arguments["description"] = description
        if notes and isinstance(default, _PLAIN):
            arguments["default"] = default
        elif not is_required:
            # Makes the key optional, without a default in the schema.
            arguments["default_factory"] = dict
        return self.converted(hint), Field(**arguments)
