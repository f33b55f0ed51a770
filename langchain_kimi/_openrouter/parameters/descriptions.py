"""The docstrings below the fields of a pydantic model, as the descriptions of the fields."""

import ast
import inspect
import sys
from itertools import pairwise
from typing import TypeVar

from pydantic import BaseModel

Model = TypeVar("Model", bound=BaseModel)


def with_descriptions(model: type[Model]) -> type[Model]:
    """Set the descriptions of a model's own fields; a decorator. Without source code there are no descriptions.

    This is pydantic's `use_attribute_docstrings`. It searches all imported modules for the source of the class, and
    splits the class into tokens, which together took 50 ms of the import.
    """
    try:
        source = inspect.getsource(sys.modules[model.__module__])
    except (OSError, TypeError):
        return model
    for name, text in _docstrings(source, model.__name__):
        if name in model.model_fields:
            model.model_fields[name].description = text
    return model


def _docstrings(source: str, name: str) -> list[tuple[str, str]]:
    """Return the names of the annotated attributes of a class that have a docstring, each with the docstring."""
    body = next(node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == name)
    return [
        (field.target.id, inspect.cleandoc(text.value.value))
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    ]
