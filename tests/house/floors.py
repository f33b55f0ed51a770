"""The floors of the house: who may import whom, who may do I/O, and who may read the environment.

From the ground: `errors` and `openrouter.wire`; `openrouter`; `kimi`; `_messages`; `callbacks`; `settings` and
`chat_models`; `loading`; the own `__init__`. `testing` stands beside the house, and nobody in it imports `testing`.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from tests.house.tree import PACKAGE, Import, Module, imports_of, target


@dataclass(frozen=True)
class Room:
    """What a room's modules may import besides each other and the pure part of the standard library.

    Attributes:
        house: Rooms and single modules of the package. A room stands for everything in it.
        outside: Packages of others, and modules of the standard library that do I/O.
    """

    house: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()


# The modules of the standard library that a pure core has no use for: the network, threads, loops and clocks.
# A dotted name is forbidden with what is in it, and so `http.HTTPStatus` and `urllib.parse` are not.
IMPURE = frozenset(
    {"_thread", "asyncio", "concurrent", "http.client", "http.server", "multiprocessing", "queue", "sched", "select"}
    | {"selectors", "signal", "socket", "socketserver", "ssl", "subprocess", "threading", "time", "urllib.request"}
)
GROUND = frozenset({"errors", "_version"})
DRIVER = frozenset({"httpx", "asyncio", "threading", "ssl", "socket", "time"})
DOOR = frozenset({"langchain_core", "pydantic", "pydantic_core", "httpx"})

# The longest name that covers a module decides.
ROOMS = {
    "_version": Room(),
    "errors": Room(outside=frozenset({"langchain_core"})),
    "openrouter.wire": Room(),
    "openrouter": Room(GROUND | {"openrouter.wire"}, frozenset({"pydantic"})),
    "kimi": Room(GROUND | {"openrouter.wire"}),
    "_messages": Room(GROUND | {"openrouter", "kimi"}, frozenset({"langchain_core", "pydantic", "pydantic_core"})),
    "callbacks": Room(GROUND | {"openrouter", "kimi", "_messages"}, frozenset({"langchain_core", "threading", "time"})),
    "settings": Room(GROUND | {"openrouter", "kimi", "_messages", "callbacks"}, DOOR),
    "chat_models": Room(GROUND | {"openrouter", "kimi", "_messages", "callbacks", "settings"}, DOOR),
    # The command line, which nobody imports.
    "__main__": Room(GROUND | {"kimi"}),
    "loading": Room(frozenset({"_messages", "chat_models"})),
    "__init__": Room(GROUND | {"openrouter", "kimi", "_messages", "callbacks", "settings", "chat_models", "loading"}),
    "testing": Room(GROUND | {"openrouter.wire", "kimi"}, DRIVER | {"concurrent", "pytest", "vcr", "yaml"}),
}
# Single modules with more than their room has, outside the house.
MORE_OUTSIDE = {
    "openrouter.transport": DRIVER,
    "openrouter.clients": DRIVER | {"queue"},
    "openrouter.client_errors": frozenset({"httpx"}),
    "openrouter.lean_client": frozenset({"httpx", "urllib.request"}),
    "openrouter.watchdog": frozenset({"socket", "threading", "time"}),
    "openrouter.catalog": DRIVER,
    "kimi.tokenizer": frozenset({"huggingface_hub", "tiktoken"}),
    "_messages.retry_report": frozenset({"tenacity"}),
    # The name of a cancellation.
    "chat_models": frozenset({"asyncio"}),
}
# The last one alone of its room: the environment names the cache and the mirror of `huggingface_hub`, whose files it
# shares.
READERS_OF_ENVIRONMENT = ("chat_models", "settings", "testing", "kimi.tokenizer")


def covers(name: str, other: str) -> bool:
    """Whether a dotted name is another one or holds it."""
    return other == name or other.startswith(name + ".")


def room_of(module: str) -> str | None:
    """The room that a module belongs to, None if it belongs to none."""
    return max((room for room in ROOMS if covers(room, module)), key=len, default=None)


def trespasses(modules: Mapping[str, Module]) -> list[str]:
    """One line for each import that goes up, sideways into another room, or outside where it may not."""
    found = []
    for module in modules.values():
        room = room_of(module.name)
        if room is None:
            found.append(f"{module.path} belongs to no room")
            continue
        found += [
            f"{module.path}:{imported.line} imports {imported.name}: {why}"
            for imported in dict.fromkeys(imports_of(module))
            if (why := _refusal(module.name, room, imported, modules))
        ]
    return found


def _refusal(module: str, room: str, imported: Import, modules: Mapping[str, Module]) -> str | None:
    if imported.name.startswith("."):
        return "a relative import hides the room"
    inside = target(imported.name, modules)
    if inside is None:
        return _refusal_outside(imported.name, ROOMS[room].outside | MORE_OUTSIDE.get(module, frozenset()))
    if room_of(inside) == room or any(covers(name, inside) for name in ROOMS[room].house):
        return None
    return f"not below {room}"


def _refusal_outside(name: str, allowed: frozenset[str]) -> str | None:
    if any(covers(package, name) for package in allowed):
        return None
    if any(covers(package, name) for package in IMPURE):
        return "I/O, threads and clocks belong to the transport"
    if name.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
        return None
    return "not a package that this module may know"


def cycle(modules: Mapping[str, Module]) -> list[str]:
    """The names along one import cycle, its first name again at the end; empty when there is none."""
    graph = {name: set(_neighbours(module, modules)) - {name} for name, module in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return names
    return []


def _neighbours(module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    for imported in imports_of(module):
        if inside := target(imported.name, modules):
            yield inside


def environment_reads(modules: Mapping[str, Module]) -> list[str]:
    """One line for each look into the environment outside the modules that may do so."""
    return [
        f"{module.path}:{line} reads the environment"
        for module in modules.values()
        if not any(covers(reader, module.name) for reader in READERS_OF_ENVIRONMENT)
        for line in _lines_that_read_environment(module)
    ]


_READS = frozenset({"environ", "environb", "getenv", "getenvb"})
_HELPERS = frozenset({"from_env", "secret_from_env", "get_from_env", "get_from_dict_or_env"})


def _lines_that_read_environment(module: Module) -> Iterator[int]:
    for imported in imports_of(module):
        package, _, name = imported.name.rpartition(".")
        if name in _HELPERS or (package == "os" and name in _READS):
            yield imported.line
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in _READS | _HELPERS:
            yield node.lineno


def imports_from_testing(modules: Mapping[str, Module]) -> list[str]:
    """The modules of the house that import `testing`, which is for users' tests alone."""
    return [
        module.path
        for module in modules.values()
        if not covers("testing", module.name) and any(covers("testing", name) for name in _neighbours(module, modules))
    ]


def unneeded_permissions(modules: Mapping[str, Module]) -> list[str]:
    """The modules that may import more than their room and do not exist, or import nothing of it."""
    return [
        name
        for name, allowed in MORE_OUTSIDE.items()
        if name not in modules
        or not any(covers(package, found.name) for package in allowed for found in imports_of(modules[name]))
    ]


def full_name(module: str) -> str:
    """A module's name as users import it."""
    return PACKAGE if module == "__init__" else f"{PACKAGE}.{module}"
