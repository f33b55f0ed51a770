"""Read settings from environment variables, with errors that name the variable."""

import os
from collections.abc import Iterable, Mapping

BASE_URL = "OPENROUTER_API_BASE"
_INVISIBLE = "\ufeff\u200b\u2060"
"""A byte order mark, as Windows editors write it, and blanks of web pages that `str.strip` does not remove."""


class EnvironmentProblem(Exception):  # noqa: N818 - it becomes a KimiUsageError
    """The value of an environment variable cannot be used.

    It is not a ValueError, because pydantic would wrap that in its own error.
    """


def stripped(text: str) -> str:
    """Return a text without the white space around it, which is common in values from files and clipboards."""
    return text.strip().strip(_INVISIBLE).strip()


def value_of(variable: str) -> str | None:
    """Return the value of an environment variable without the white space around it; None if it is empty or not set."""
    return stripped(os.environ.get(variable, "")) or None


def check_not_blank(variable: str | None) -> None:
    """Check that a variable is not set to an empty or blank value.

    Raises:
        EnvironmentProblem: The variable is set and blank.
    """
    if variable and variable in os.environ and value_of(variable) is None:
        raise EnvironmentProblem(f"The environment variable {variable} is set, but it is empty.")


def header_of(variable: str) -> str | None:
    """Return the value of a variable that is sent as a header.

    Raises:
        EnvironmentProblem: The value cannot be sent in a header.
    """
    value = value_of(variable)
    if value and not (value.isascii() and value.isprintable()):
        raise EnvironmentProblem(
            f"The environment variable {variable} must be printable ASCII without line breaks, because it is sent as a "
            "header."
        )
    return value


def short_text_of(variable: str, max_length: int) -> str | None:
    """Return the value of a variable.

    Raises:
        EnvironmentProblem: The value has more than `max_length` characters.
    """
    value = value_of(variable)
    if value and len(value) > max_length:
        raise EnvironmentProblem(
            f"The environment variable {variable} must have at most {max_length} characters, it has {len(value)}."
        )
    return value


def about(sources: Mapping[str, str], error: ValueError) -> Exception:
    """Return an error about a setting as an error about the variable from which the setting was read.

    Args:
        sources: The variables by setting.
        error: The error, which begins with the name of the setting. It is returned unchanged if the setting was not
            read from a variable.
    """
    for setting, variable in sources.items():
        if variable and str(error).startswith(setting):
            return EnvironmentProblem(f"The environment variable {variable}{str(error).removeprefix(setting)}")
    return error


def source_of(value: str, variables: Iterable[str | None]) -> str | None:
    """Return the first of the variables that has this value; None if none of them has it."""
    return next((name for name in variables if name and value and value_of(name) == value), None)
