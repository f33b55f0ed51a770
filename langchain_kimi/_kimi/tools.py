"""The tools of a request: find a tool by any spelling of its name, and validate calls against its schema."""

import re
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import Any

from langchain_kimi._kimi.call_ids import PREFIX
from langchain_kimi._openrouter.wire import JSONObject, WireBody
from langchain_kimi._patterns import lazy_pattern

_PREFIX = lazy_pattern(r"^(?:functions?[.:/]){1,3}", re.IGNORECASE)
_NUMBER = lazy_pattern(r"(?::\d*){1,3}$")
_SEPARATORS = lazy_pattern(r"[_-]")
_MARKER = "<|"
_AROUND = " \t\r\n\"'`"
"""The characters around a name that are ignored."""


class OfferedTools:
    """The functions among a request's tools.

    Attributes:
        schemas: The JSON schema of each function's parameters, by its name.
        may_be_called: Whether there are functions and `tool_choice` is not `none`.
    """

    def __init__(self, body: WireBody) -> None:
        functions = [tool.get("function") for tool in body.get("tools") or () if isinstance(tool, dict)]
        self.schemas: dict[str, JSONObject] = {
            function["name"]: function.get("parameters") or {}
            for function in functions
            if isinstance(function, dict) and function.get("name")
        }
        self.may_be_called = bool(self.schemas) and body.get("tool_choice") != "none"

    def find(self, spelling: str) -> str | None:
        """Return the name of the function with a spelling such as `name`, `functions.name` or `name:0`.

        Letter case, hyphens and underscores, quotation marks around the name and text from a marker of Kimi's markup on
        are ignored.

        Returns:
            The name in the request; None unless exactly one function matches.
        """
        forms = _forms(spelling.partition(_MARKER)[0].strip(_AROUND))
        exact = next((form for form in forms if form in self.schemas), None)
        if exact:
            return exact
        folded = {form.casefold() for form in forms}
        same = _only([name for name in self.schemas if name.casefold() in folded])
        if same:
            return same
        joined = {_SEPARATORS.sub("", form) for form in folded}
        return _only([name for name in self.schemas if _SEPARATORS.sub("", name.casefold()) in joined])

    def may_begin(self, spelling: str) -> bool:
        """Return whether a text is the beginning of a function's name, with or without the prefix `functions.`."""
        bare = spelling.removeprefix(PREFIX)
        return PREFIX.startswith(spelling) or any(name.startswith(bare) for name in self.schemas)

    def find_by_id(self, call_id: str) -> str | None:
        """Return the name of the function that a call id in Kimi's form contains, such as `functions.name:0`.

        Some frameworks remove `.` and `:` from ids, and another word may replace `functions`.

        Returns:
            The name in the request; None unless exactly one function matches.
        """
        return self.find(call_id) or _only(
            [name for name, cleaned in self._cleaned_ids.items() if cleaned.fullmatch(call_id.strip())]
        )

    def needs_arguments(self, name: str) -> bool:
        """Return whether a function has required parameters."""
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
_MAX_ERRORS = 3
"""The number of errors of a call that are described; the model reads them."""
_MAX_LENGTH = 200
"""The number of characters of each of them. jsonschema repeats the whole value in its message."""


def load_validator() -> Any:
    """Return the module `jsonschema`.

    Raises:
        ImportError: It is not installed.
    """
    try:
        return import_module("jsonschema")
    except ImportError as error:
        raise ImportError(MISSING) from error


class CallValidator:
    """Checks calls against the tools of a request.

    Attributes:
        unknown_tools: The number of calls to tools that are not offered.
        mismatches: The number of calls whose arguments do not match the schema of their tool.
    """

    def __init__(self, offered: OfferedTools, names: Mapping[str, str] | None = None) -> None:
        """Begin a response.

        Args:
            offered: The tools of the request.
            names: The user's names of tools that were sent under another name, by the sent name.

        Raises:
            ImportError: `jsonschema` is not installed.
        """
        self.unknown_tools = 0
        self.mismatches = 0
        self._offered = offered
        self._names = names or {}
        self._package = load_validator()

    def fault(self, name: str, arguments: dict[str, Any]) -> str | None:
        """Return a message with the errors of a call and their places; None if the call is valid."""
        if name not in self._offered.schemas:
            self.unknown_tools += 1
            offered = ", ".join(map(self._shown, self._offered.schemas)) or "none"
            return f"There is no tool {name!r}; offered: {offered}."
        errors = self._errors(self._offered.schemas[name], arguments)
        if not errors:
            return None
        self.mismatches += 1
        more = f"; and {len(errors) - _MAX_ERRORS} more" if len(errors) > _MAX_ERRORS else ""
        return f"The arguments do not match the schema of {self._shown(name)}: {'; '.join(errors[:_MAX_ERRORS])}{more}."

    def _shown(self, name: str) -> str:
        return self._names.get(name, name)

    def _errors(self, schema: dict[str, Any], arguments: dict[str, Any]) -> list[str]:
        validator_class = self._package.validators.validator_for(schema, default=self._package.Draft202012Validator)
        # By default, jsonschema downloads the target of a reference to a URL. The author of a tool may be a stranger.
        registry = import_module("jsonschema_specifications").REGISTRY
        validator = validator_class(schema, registry=registry)
        try:
            errors = sorted(validator.iter_errors(arguments), key=lambda error: error.json_path)
        except Exception as problem:  # noqa: BLE001 - an invalid schema fails in many ways
            # A call whose tool has an invalid schema cannot be checked; the host accepted the schema.
            del problem
            return []
        return [f"{error.json_path.removeprefix('$.')}: {error.message[:_MAX_LENGTH]}" for error in errors]
