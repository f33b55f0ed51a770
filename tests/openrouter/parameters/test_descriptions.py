"""Docstrings as the descriptions of fields."""

import sys
from types import ModuleType
from typing import ClassVar

import pytest
from pydantic import BaseModel

from langchain_kimi._openrouter.parameters.descriptions import with_descriptions


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


def test_the_docstring_below_a_field_describes_it() -> None:
    descriptions = {name: field.description for name, field in Described.model_fields.items()}
    assert descriptions == {"one": "The first\nnumber.", "two": None, "three": "The third number."}
    assert descriptions == {name: field.description for name, field in ByPydantic.model_fields.items()}


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
