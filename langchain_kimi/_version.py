"""The version and the address of the documentation, as in `pyproject.toml`."""

__version__ = "0.1.0"

DOCUMENTATION = ""
"""The URL of the documentation's site, which ends with a slash; empty as long as there is no public site."""
