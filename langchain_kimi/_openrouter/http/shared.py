"""Distinguish the package's HTTP clients from those of users, without the import of httpcore, which takes 10 ms."""

from typing import Any


class Shared:
    """The base class of the package's own clients, which apply the time limits of a call themselves."""


def is_shared(client: Any) -> bool:
    """Return whether a client is the package's own, and not one that the user passed to the model."""
    return isinstance(client, Shared)
