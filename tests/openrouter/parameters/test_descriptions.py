"""Docstrings as the descriptions of fields."""

import ast
import inspect
import sys
from itertools import pairwise
from types import ModuleType
from typing import ClassVar

import pytest
from pydantic import BaseModel, Field

from langchain_kimi._openrouter.parameters.descriptions import with_descriptions
from langchain_kimi._openrouter.parameters.fields import ParameterFields
from langchain_kimi._settings import KimiSettings


@with_descriptions
class Described(BaseModel):
    """A model."""

    one: int = 1
    """The first
    number."""
    two: int = 2
    three: int = 3
    "The third number."
    shared: ClassVar[int] = 4
    """No field."""
    several: dict[str, int] = Field(
        default_factory=dict,
    )
    r"""Several "numbers": \d."""
    escaped: int = 5
    """A \\ and a "number\"."""

    def number(self) -> int:
        """Return a number."""
        return self.one


class ByPydantic(BaseModel, use_attribute_docstrings=True):
    one: int = 1
    """The first
    number."""
    two: int = 2
    three: int = 3
    "The third number."
    several: dict[str, int] = Field(
        default_factory=dict,
    )
    r"""Several "numbers": \d."""
    escaped: int = 5
    """A \\ and a "number\"."""


def test_the_docstring_below_a_field_describes_it() -> None:
    descriptions = {name: field.description for name, field in Described.model_fields.items()}
    assert descriptions == {
        "one": "The first\nnumber.", "two": None, "three": "The third number.",
        "several": 'Several "numbers": \\d.', "escaped": 'A \\ and a "number".',
    }  # fmt: skip
    assert descriptions == {name: field.description for name, field in ByPydantic.model_fields.items()}


@pytest.mark.parametrize("model", [KimiSettings, ParameterFields])
def test_each_field_has_the_docstring_below_it(model: type[BaseModel]) -> None:
    tree = ast.parse(inspect.getsource(sys.modules[model.__module__]))
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == model.__name__]
    written = {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
    assert written
    assert {name: model.model_fields[name].description for name in written} == written


def test_a_subclass_inherits_the_descriptions() -> None:
    class Inheriting(Described):
        pass

    assert Inheriting.model_fields["one"].description == "The first\nnumber."


def test_a_model_without_source_code_has_no_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("without_source")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    class Compiled(BaseModel):
        one: int = 1

    Compiled.__module__ = module.__name__
    assert with_descriptions(Compiled) is Compiled
    assert Compiled.model_fields["one"].description is None
