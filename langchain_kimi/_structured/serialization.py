"""Base classes for the runnables of structured output, so that LangChain can dump and load a chain with a schema."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from langchain_core.load.serializable import Serializable, SerializedConstructor, SerializedNotImplemented
from pydantic import field_validator

from langchain_kimi._schemas.output import OutputSchema

NAMESPACE = ("langchain_kimi", "structured_output")
"""The namespace of these classes in dumps. It does not depend on their modules, so these may move."""


class Dumped(Serializable):
    """A runnable that LangChain can dump."""

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return True: the class can be dumped."""
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        """Return the namespace of the class in dumps."""
        return [*NAMESPACE]


class DumpedWithSchema(Dumped):
    """A runnable with a schema in `target`. A pydantic class is the user's own code and is not dumped."""

    @field_validator("target", mode="before", check_fields=False)
    @classmethod
    def _loaded(cls, target: Any) -> Any:
        return OutputSchema(**target) if isinstance(target, Mapping) else target

    def to_json(self) -> SerializedConstructor | SerializedNotImplemented:
        """Return the dump, or a placeholder if the schema is a pydantic class."""
        target: OutputSchema = self.target  # type: ignore[attr-defined]  # a field of the subclasses
        dumped: Any = super().to_json() if target.model is None else self.to_json_not_implemented()
        if dumped["type"] == "constructor":
            dumped["kwargs"]["target"] = asdict(target)
        return dumped  # type: ignore[no-any-return]  # either of the two
