"""Describe dataclasses of Python and pydantic as JSON schemas."""

from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._schemas.strict import unwrapped_root, without_titles


def dataclass_function(kind: type) -> JSONObject:
    """Return the name, the description and the parameters of a dataclass.

    LangChain would describe the arguments of the constructor, without recursive parts and `pydantic.Field`, and with a
    warning for each default from a factory.

    Raises:
        TypeError, NameError, pydantic.PydanticUserError: pydantic does not support one of the types, or a type cannot
            be resolved.
    """
    definition = without_titles(unwrapped_root(TypeAdapter(kind).json_schema()))
    hints = get_type_hints(kind, include_extras=True)
    computed = {field.name for field in fields(kind) if not field.init}
    definition["properties"] = {
        name: {**_note(hints.get(name)), **value}
        for name, value in definition["properties"].items()
        if name not in computed
    }
    # Only a docstring of the user: pydantic leaves out those that Python generates.
    description = definition.pop("description", None)
    return {
        "name": kind.__name__,
        **({"description": description} if description else {}),
        "parameters": definition,
    }


def _note(hint: Any) -> JSONObject:
    """Return the description of a field: the first text in its `Annotated`, as elsewhere in LangChain."""
    notes = [note for note in getattr(hint, "__metadata__", ()) if isinstance(note, str)]
    return {"description": notes[0]} if notes else {}
