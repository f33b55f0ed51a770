"""The headers of a request."""

from collections.abc import Mapping, Sequence

from langchain_kimi._version import __version__

USER_AGENT = f"langchain-kimi-openrouter/{__version__}"
OTHER_SPELLINGS = {"x-title": "x-openrouter-title"}
"""Names that OpenRouter takes for the same thing; a user's own spelling replaces ours instead of joining it."""


def attribution_headers(
    app_url: str | None, app_title: str | None, app_categories: Sequence[str] | None
) -> dict[str, str]:
    """Give the headers by which OpenRouter attributes a request to an app; what is not set is not sent."""
    headers = {
        "HTTP-Referer": app_url,
        "X-OpenRouter-Title": app_title,
        "X-OpenRouter-Categories": ",".join(app_categories or ()),
    }
    return {name: value for name, value in headers.items() if value}


def request_headers(
    key: str, attribution: Mapping[str, str], default_headers: Mapping[str, str] | None, *, streamed: bool
) -> dict[str, str]:
    """Give all headers of a request; the user's own win over ours, whatever the case of their names."""
    own = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Accept": "text/event-stream" if streamed else "application/json",
        "User-Agent": USER_AGENT,
        **attribution,
    }
    given = dict(default_headers or {})
    replaced = {_canonical(name) for name in given}
    return {**{name: value for name, value in own.items() if _canonical(name) not in replaced}, **given}


def check_header(name: str, value: str) -> None:
    """Refuse what no header can hold: line breaks, control characters, and text that is not ASCII.

    Raises:
        ValueError: says which header, never its value.
    """
    if not name or not name.isascii() or any(character in '()<>@,;:\\"/[]?={} \t\r\n' for character in name):
        raise ValueError(f"{name!r} is no name of a header.")
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"The header {name} must be printable ASCII: no line breaks, no accents; encode them first.")


def _canonical(name: str) -> str:
    lowered = name.lower()
    return OTHER_SPELLINGS.get(lowered, lowered)
