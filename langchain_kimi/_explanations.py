"""The text of an error, and the command and the URL that explain it."""

from collections.abc import Mapping
from typing import Any

from langchain_kimi._patterns import lazy_pattern
from langchain_kimi._version import DOCUMENTATION

MAX_REASON = 2000
"""The number of characters of a reason or of advice in the text of an error; the attribute has all of them."""
MAX_NAME = 100
"""The number of characters of a provider, a model or an id in the text of an error."""
_BLANKS = lazy_pattern(r"\s+")


def error_text(reason: Any, advice: Any = "", context: Mapping[str, Any] | None = None, attempts: int = 1) -> str:
    """Return the text of an error: the reason, the context in parentheses, and the advice.

    Args:
        reason: The cause.
        advice: The remedy.
        context: Values by name; those that are empty are left out.
        attempts: The number of attempts; only shown if there were several.
    """
    parts = [f"{name} {one_line(value, MAX_NAME)}" for name, value in (context or {}).items() if value]
    parts += [f"after {attempts} attempts"] * (attempts > 1)
    sentence = one_line(reason, MAX_REASON) + (f" ({', '.join(parts)})" if parts else "")
    return f"{sentence} {one_line(advice, MAX_REASON)}".strip() if advice else sentence


def one_line(text: Any, limit: int) -> str:
    """Return a text as one line of printable characters, of at most `limit` characters.

    Texts of providers appear in terminals and logs, where line breaks would forge entries, and escape sequences and
    bidirectional controls would change the display. Such characters are written as escape sequences of Python.
    """
    text = str(text)
    shortened = text[: limit + 1]
    line = _BLANKS.sub(" ", shortened).strip()
    if not line.isprintable():
        line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
    return line[:limit] + "…" if len(text) > limit or len(line) > limit else line


def explanation_of(name: str, site: str = DOCUMENTATION) -> str:
    """Return the command that explains an error, followed by its URL if there is a public site; see `address_of`."""
    return f"python -m langchain_kimi explain {name} {address_of(name, site)}".strip()


def address_of(name: str, site: str = DOCUMENTATION) -> str:
    """Return the URL of the section about an error.

    Args:
        name: The name of the class.
        site: The URL of the site, which ends with a slash. If it is empty, so is the result.
    """
    return f"{site}errors.html#{name.lower()}" if site else ""
