"""The tools that a request offers: their names and schemas, and which of them a model's spelling means."""

import re
from functools import cached_property
from importlib import import_module
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject, WireBody

_PREFIX = re.compile(r"^functions?[.:/]", re.IGNORECASE)
_NUMBER = re.compile(r":\d+$")
_MARKER = "<|"


class OfferedTools:
    """The functions among a request's tools.

    Attributes:
        schemas: The JSON schema of each function's parameters, by its name.
        may_be_called: Whether the request lets the model call anything at all.
    """

    def __init__(self, body: WireBody) -> None:
        functions = [tool.get("function") for tool in body.get("tools") or () if isinstance(tool, dict)]
        self.schemas: dict[str, JSONObject] = {
            function["name"]: function.get("parameters") or {}
            for function in functions
            if isinstance(function, dict) and function.get("name")
        }
        self.may_be_called = bool(self.schemas) and body.get("tool_choice") != "none"

    def meant(self, spelling: str) -> str | None:
        """Tell which function is meant by its name, `functions.name`, `name:0`, or by another case of its letters.

        A marker of Kimi's markup ends the name.

        None where no function, or more than one, would fit.
        """
        forms = _forms(spelling.partition(_MARKER)[0].strip())
        exact = next((form for form in forms if form in self.schemas), None)
        if exact:
            return exact
        folded = {form.casefold() for form in forms}
        return _only([name for name in self.schemas if name.casefold() in folded])

    def meant_by_id(self, call_id: str) -> str | None:
        """Tell which function a call id of Kimi's means, also one that a framework has cleaned of `.` and `:`.

        In place of `functions` there may be another word.
        """
        return self.meant(call_id) or _only(
            [name for name, cleaned in self._cleaned_ids.items() if cleaned.fullmatch(call_id.strip())]
        )

    def needs_arguments(self, name: str) -> bool:
        """Say whether a function cannot be called with an empty object."""
        return bool(self.schemas.get(name, {}).get("required"))

    @cached_property
    def _cleaned_ids(self) -> dict[str, re.Pattern[str]]:
        # Reported: `functions_read_0` and `functionsread0` (openclaw/openclaw issue 70030).
        forms = r"(?:functions?[._:-]?)?{0}[._:-]?\d+|[\w-]+[.:/]{0}(?:[._:-]?\d+)?"
        return {name: re.compile(forms.replace("{0}", re.escape(name)), re.IGNORECASE) for name in self.schemas}


def _forms(spelling: str) -> list[str]:
    unnumbered = _NUMBER.sub("", spelling)
    return [spelling, unnumbered, *(_PREFIX.sub("", form, count=1) for form in (spelling, unnumbered))]


def _only(names: list[str]) -> str | None:
    return names[0] if len(names) == 1 else None


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
