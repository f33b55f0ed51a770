"""Checks that `pyproject.toml`, the locks and the changelog agree."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def newest_version(changelog: str) -> str | None:
    """Return the version of the changelog's first entry, None when it has no entry."""
    entry = re.search(r"^## \[?(\d+\.\d+\.\d+\w*)\]?", changelog, re.MULTILINE)
    return entry and entry[1]


def unexplained(pyproject: str) -> list[str]:
    """Return the dependencies without a comment above them or beside them."""
    lines = [line.strip() for line in pyproject.splitlines()]
    dependencies: list[str] = tomllib.loads(pyproject)["project"]["dependencies"]
    return [dependency for dependency in dependencies if not _has_comment(f'"{dependency}"', lines)]


def _has_comment(quoted: str, lines: list[str]) -> bool:
    place = next(number for number, line in enumerate(lines) if line.startswith(quoted))
    return "#" in lines[place] or lines[place - 1].startswith("#")


def pins(lock: str) -> dict[str, set[str]]:
    """Return the pinned versions by package name; several where they differ by Python version or system."""
    versions: dict[str, set[str]] = {}
    for line in lock.splitlines():
        if pin := re.match(r"([\w.-]+)==([^\s;]+)", line):
            versions.setdefault(canonicalize_name(pin[1]), set()).add(pin[2])
    return versions


def requirements(pyproject: Mapping[str, Any], group: str | None) -> Iterator[Requirement]:
    """Yield the project's dependencies, or those of a dependency group and the groups that it includes."""
    for entry in pyproject["dependency-groups"][group] if group else pyproject["project"]["dependencies"]:
        if isinstance(entry, dict):
            yield from requirements(pyproject, entry["include-group"])
        else:
            yield Requirement(entry)


def unmet(wanted: Iterator[Requirement], lock: Mapping[str, set[str]]) -> list[str]:
    """Return the requirements that a lock does not satisfy."""
    return [
        str(requirement)
        for requirement in wanted
        if not (versions := lock.get(canonicalize_name(requirement.name)))
        or not all(requirement.specifier.contains(version) for version in versions)
    ]
