"""What `pyproject.toml`, the locks and the changelog have to agree on."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def newest_version(changelog: str) -> str | None:
    """The version of the changelog's first entry, None when it has no entry."""
    entry = re.search(r"^## \[?(\d+\.\d+\.\d+\w*)\]?", changelog, re.MULTILINE)
    return entry and entry[1]


def unexplained(pyproject: str) -> list[str]:
    """The dependencies without a comment above them or beside them."""
    lines = [line.strip() for line in pyproject.splitlines()]
    dependencies: list[str] = tomllib.loads(pyproject)["project"]["dependencies"]
    return [dependency for dependency in dependencies if not _has_comment(f'"{dependency}"', lines)]


def _has_comment(quoted: str, lines: list[str]) -> bool:
    place = next(number for number, line in enumerate(lines) if line.startswith(quoted))
    return "#" in lines[place] or lines[place - 1].startswith("#")


def pins(lock: str) -> dict[str, set[str]]:
    """The versions that a lock holds, by the package's name: several where they differ by Python or by system."""
    found: dict[str, set[str]] = {}
    for line in lock.splitlines():
        if pin := re.match(r"([\w.-]+)==([^\s;]+)", line):
            found.setdefault(canonicalize_name(pin[1]), set()).add(pin[2])
    return found


def requirements(pyproject: Mapping[str, Any], group: str | None) -> Iterator[Requirement]:
    """The project's own dependencies, or with a group's name those of the group and of the groups in it."""
    for entry in pyproject["dependency-groups"][group] if group else pyproject["project"]["dependencies"]:
        if isinstance(entry, dict):
            yield from requirements(pyproject, entry["include-group"])
        else:
            yield Requirement(entry)


def unmet(wanted: Iterator[Requirement], lock: Mapping[str, set[str]]) -> list[str]:
    """The requirements that a lock does not hold, or not in a version that was asked for."""
    return [
        str(requirement)
        for requirement in wanted
        if not (versions := lock.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version) for version in versions)
    ]
