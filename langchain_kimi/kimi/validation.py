"""Checks the arguments of tool calls against the schemas of the offered tools, with the package `jsonschema`."""

from importlib import import_module
from typing import Any

from langchain_kimi.kimi.offered_tools import OfferedTools

MISSING = "validate_tool_calls needs the package jsonschema: install langchain-kimi-openrouter[validation]."
_MOST_FAULTS = 3
_LONGEST = 200


def load_validator() -> Any:
    """Import the checking package.

    Raises:
        ImportError: it is not installed.
    """
    try:
        return import_module("jsonschema")
    except ImportError as problem:
        raise ImportError(MISSING) from problem


class CallValidator:
    """Checks calls of the tools that a request offers.

    Attributes:
        unknown_tools: How many calls named a tool that is not offered.
        mismatches: How many calls had arguments that do not fit their tool's schema.
    """

    def __init__(self, offered: OfferedTools) -> None:
        """Begin a reply; raises `ImportError` where `jsonschema` is missing."""
        self.unknown_tools = 0
        self.mismatches = 0
        self._offered = offered
        self._package = load_validator()

    def fault(self, name: str, arguments: dict[str, Any]) -> str | None:
        """Say what is wrong with a call and where, or None when it is right."""
        if name not in self._offered.schemas:
            self.unknown_tools += 1
            offered = ", ".join(self._offered.schemas) or "none"
            return f"There is no tool {name!r}; offered: {offered}."
        faults = self._faults(self._offered.schemas[name], arguments)
        if not faults:
            return None
        self.mismatches += 1
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        return f"The arguments do not fit the schema of {name}: {'; '.join(faults[:_MOST_FAULTS])}{more}."

    def _faults(self, schema: dict[str, Any], arguments: dict[str, Any]) -> list[str]:
        checker = self._package.validators.validator_for(schema, default=self._package.Draft202012Validator)
        try:
            found = sorted(checker(schema).iter_errors(arguments), key=lambda error: error.json_path)
        except Exception as problem:  # noqa: BLE001 - a schema that is none fails in many ways, and is not the model's fault
            # Nothing can be held against a call whose tool has a broken schema; the host took it.
            del problem
            return []
        return [f"{error.json_path.removeprefix('$.')}: {error.message[:_LONGEST]}" for error in found]
