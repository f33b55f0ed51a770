"""LangChain's form of the parts of structured output, so that a chain with a schema can be dumped and loaded again."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from langchain_core.load.serializable import Serializable, SerializedConstructor, SerializedNotImplemented
from pydantic import field_validator

from langchain_kimi._schemas.output import OutputSchema

NAMESPACE = ("langchain_kimi", "structured_output")
"""Under what name a dump knows these parts, wherever they move to in the package."""


class Dumped(Serializable):
    """A part that has a form of LangChain's."""

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Tell LangChain that it has."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Tell LangChain the name that stays."""
        return [*NAMESPACE]


class DumpedWithSchema(Dumped):
    """A part that holds a schema in `target`: a class is the user's own code, and is in no dump."""

    @field_validator("target", mode="before", check_fields=False)
    @classmethod
    def _loaded(cls, target: Any) -> Any:
        return OutputSchema(**target) if isinstance(target, Mapping) else target

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """Give LangChain's form of it."""
        target: OutputSchema = self.target  # type: ignore[attr-defined]  # a field of the class that has this base
        dumped: Any = super().to_json() if target.model is None else self.to_json_not_implemented()
        if dumped["type"] == "constructor":
            dumped["kwargs"]["target"] = asdict(target)
        return dumped  # type: ignore[no-any-return]  # one of both
