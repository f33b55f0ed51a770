"""Model facts that `refresh()` fetched. All models of the process share them, and a file keeps them for later ones.

The file is read once, when a profile or a price is needed for the first time. Only `use` writes it.
"""

import json
import os
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypedDict, cast
from uuid import uuid4

from langchain_kimi._kimi.price_rows import ModelRow

DIRECTORY_VARIABLE = "KIMI_CACHE_DIR"
"""The environment variable with the path of the directory. If it is empty, no file is read or written."""
FILE_NAME = "facts.json"
_VERSION = 1


class Facts(TypedDict):
    """The fetched models, with their source (a URL) and the day on which they were fetched."""

    source: str
    date: str
    aliases: dict[str, str]
    models: dict[str, ModelRow]


NO_FACTS: Facts = {"source": "", "date": "", "aliases": {}, "models": {}}
_current: list[Facts] = []


def current() -> Facts:
    """Return the facts of this process: those last passed to `use`, otherwise those in the file."""
    if not _current:
        _current.append(_read(directory()) or NO_FACTS)
    return _current[0]


def use(facts: Facts, *, is_local: bool = False) -> Path | None:
    """Use facts in this process, and write them to the file.

    Args:
        facts: The facts. They are added to earlier ones, which stay for models that are not among the new ones.
        is_local: Whether they come from a server on this machine. Such facts are only written if the environment
            variable names a directory, because other programs would use them as OpenRouter's.

    Returns:
        The path of the file; None if no file was written.

    Raises:
        OSError: The file cannot be written. This process uses the facts nevertheless.
    """
    before = current()
    merged: Facts = {
        **facts,
        "aliases": {**before["aliases"], **facts["aliases"]},
        "models": {**before["models"], **facts["models"]},
    }
    _current[:] = [merged]
    folder = directory()
    if folder is None or (is_local and DIRECTORY_VARIABLE not in os.environ):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE_NAME
    # Not the id of the process, because threads may refresh at the same time.
    new = file.with_suffix(f".{uuid4().hex}")
    new.write_text(json.dumps({"version": _VERSION, **merged}, indent=1), encoding="utf-8")
    new.replace(file)
    return file


def forget() -> None:
    """Discard the facts of this process. The file is not deleted, and will be read again."""
    _current.clear()


def directory() -> Path | None:
    """Return the directory of the file; None if the environment variable is empty or `platformdirs` is missing."""
    named = os.environ.get(DIRECTORY_VARIABLE)
    if named is not None:
        return Path(named) if named else None
    try:
        return Path(import_module("platformdirs").user_cache_dir("langchain-kimi", appauthor=False))
    except ImportError:
        return None


def _read(folder: Path | None) -> Facts | None:
    """Return the facts of the file, or None. A broken file is renamed, with a warning."""
    if folder is None:
        return None
    file = folder / FILE_NAME
    try:
        return _checked(json.loads(file.read_text(encoding="utf-8")))
    except OSError:
        return None
    except (ValueError, TypeError, LookupError, AttributeError):
        aside = file.with_suffix(".broken")
        with suppress(OSError):
            file.replace(aside)
        warnings.warn(
            f"The refreshed facts in {file} could not be read, so the file was renamed to {aside.name}; "
            "refresh() writes a new one.",
            stacklevel=2,
        )
        return None


def _checked(value: Any) -> Facts | None:
    """Return the facts in the content of a file; None for another version of the format.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: A field is missing or invalid.
    """
    if value["version"] != _VERSION:
        return None
    # Accessed only to raise an error for a value that is not an object.
    value["aliases"].items()
    for row in value["models"].values():
        # Accessed only to raise an error for a row without these fields.
        row["profile"], float(row["prices"]["prompt"]), float(row["prices"]["completion"])
    return cast("Facts", {name: value[name] for name in NO_FACTS})
