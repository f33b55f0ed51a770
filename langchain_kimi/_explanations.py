"""The places where errors are explained: a command, and the site of the documentation."""

from langchain_kimi._version import DOCUMENTATION


def explanation_of(name: str, site: str = DOCUMENTATION) -> str:
    """Return the command that explains an error, followed by `address_of(name)` if there is one."""
    return f"python -m langchain_kimi explain {name} {address_of(name, site)}".strip()


def address_of(name: str, site: str = DOCUMENTATION) -> str:
    """Return the URL of the section about an error.

    Args:
        name: The name of the class.
        site: The URL of the site, which ends with a slash. If it is empty, so is the result.
    """
    return f"{site}errors.html#{name.lower()}" if site else ""
