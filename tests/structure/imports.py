"""The import rule: which package may import which, and where I/O and the environment are allowed.

`LAYERS` is the table of `CONTRIBUTING.md`, lowest first. A package may import the ones that its entry names and nothing
else of the project. `testing` stands outside: nothing in the package imports it.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from tests.structure.tree import PACKAGE, Import, Module, target


@dataclass(frozen=True)
class Layer:
    """The imports that the modules of one package may have, besides imports of each other.

    Attributes:
        inside: Packages and single modules of the project. The name of a package covers its modules.
        outside: Third-party packages, and modules of the standard library that do I/O.
    """

    inside: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()


# Modules of the standard library that pure code does not need: the network, threads, event loops and clocks.
# A dotted name covers only itself and its submodules, so `http.HTTPStatus` and `urllib.parse` are allowed.
IMPURE = frozenset(
    {"_thread", "asyncio", "concurrent", "http.client", "http.server", "multiprocessing", "queue", "sched", "select"}
    | {"selectors", "signal", "socket", "socketserver", "ssl", "subprocess", "threading", "time", "urllib.request"}
)
BASE = frozenset({"errors", "_explanations", "_patterns", "_version"})
PROTOCOL = BASE | {"_openrouter"}
MESSAGES = PROTOCOL | {"_kimi", "_schemas", "_request"}
FEATURES = MESSAGES | {"_reply"}
MODEL = FEATURES | {"_tokens", "_structured", "_costs"}
LANGCHAIN = frozenset({"langchain_core", "pydantic", "pydantic_core"})
NETWORK = frozenset({"httpx", "asyncio", "threading", "ssl", "socket", "time"})

# The longest name that covers a module decides.
LAYERS = {
    "_version": Layer(),
    "_patterns": Layer(),
    "_explanations": Layer(frozenset({"_version", "_patterns"})),
    "errors": Layer(frozenset({"_explanations"}), frozenset({"langchain_core"})),
    "_openrouter": Layer(BASE, frozenset({"pydantic"})),
    "_openrouter.http": Layer(
        PROTOCOL,
        NETWORK
        | {"httpcore", "pydantic", "queue", "select", "contextvars", "logging", "urllib.request"}
        | {"aiohttp", "httptools", "multidict", "yarl"},
    ),
    "_kimi": Layer(PROTOCOL),
    "_schemas": Layer(PROTOCOL, LANGCHAIN),
    "_request": Layer(PROTOCOL | {"_kimi", "_schemas"}, LANGCHAIN),
    "_reply": Layer(MESSAGES, LANGCHAIN),
    "_tokens": Layer(MESSAGES, LANGCHAIN | {"tiktoken", "huggingface_hub"}),
    "_structured": Layer(FEATURES, LANGCHAIN),
    "_costs": Layer(FEATURES | {"_tokens", "catalog"}, LANGCHAIN | {"threading", "time", "asyncio", "redis"}),
    "_settings": Layer(PROTOCOL | {"_kimi", "_constructor", "_keys"}, LANGCHAIN),
    "_tracing": Layer(FEATURES | {"_costs"}, LANGCHAIN | {"tenacity"}),
    "callbacks": Layer(PROTOCOL | {"_costs"}, LANGCHAIN),
    "observability": Layer(PROTOCOL | {"_costs"}, LANGCHAIN | {"opentelemetry"}),
    "catalog": Layer(PROTOCOL | {"_kimi", "_calls", "_keys", "_settings"}, NETWORK | {"pydantic"}),
    "batch": Layer(MODEL | {"_calls", "_keys", "_settings", "catalog"}, LANGCHAIN),
    "chat_models": Layer(
        MODEL
        | {"_keys", "_calls", "_constructor", "_profile", "_settings", "_tracing", "batch", "callbacks", "catalog"},
        LANGCHAIN | {"httpx", "asyncio"},
    ),
    "_keys": Layer(PROTOCOL, LANGCHAIN | {"asyncio"}),
    "_constructor": Layer(PROTOCOL | {"_keys"}, LANGCHAIN),
    "_profile": Layer(PROTOCOL | {"_kimi", "_settings"}, LANGCHAIN),
    "_calls": Layer(MODEL | {"_constructor", "_keys", "_profile", "_settings", "_tracing"}, LANGCHAIN),
    "_loading": Layer(MODEL | {"chat_models"}, LANGCHAIN),
    "bulk": Layer(
        MODEL | {"_settings", "batch", "callbacks"},
        LANGCHAIN | {"asyncio", "concurrent", "threading", "time"},
    ),
    "middleware": Layer(
        PROTOCOL | {"_schemas", "_profile", "_settings", "callbacks", "chat_models"},
        LANGCHAIN | {"langchain", "langgraph", "threading"},
    ),
    "verify": Layer(
        MODEL | {"_calls", "_keys", "_settings", "_tracing", "bulk.purse", "catalog", "chat_models"},
        LANGCHAIN | {"asyncio"},
    ),
    "__init__": Layer(
        frozenset({"bulk", "verify"}) | MODEL | {"_settings", "callbacks", "catalog", "chat_models", "_loading"}
    ),
    "__main__": Layer(frozenset({"cli"})),
    "cli": Layer(MODEL | {"_constructor", "bulk", "catalog", "chat_models", "verify"}, LANGCHAIN | {"socket", "ssl"}),
    "testing": Layer(
        BASE
        | {"_openrouter.wire", "_openrouter.limits", "_openrouter.redaction", "_kimi"}
        | {"_openrouter.http.decoding"},
        NETWORK | {"concurrent", "pytest", "vcr", "yaml", "langchain_core"},
    ),
}
ENVIRONMENT_READERS = (
    "_kimi.facts",
    "cli",
    "testing",
    "_tokens.vocabulary",
    "_openrouter.variables",
    "_openrouter.http.environment",
)
"""Modules that may read the environment. Where the vocabulary lies is set by variables of Hugging Face's tools."""


def covers(name: str, other: str) -> bool:
    """Return whether a dotted name equals another one or contains it."""
    return other == name or other.startswith(name + ".")


def layer_of(module: str) -> str | None:
    """Return the name of the layer that a module belongs to, None if it belongs to none."""
    return max((layer for layer in LAYERS if covers(layer, module)), key=len, default=None)


def forbidden_imports(modules: Mapping[str, Module]) -> list[str]:
    """Return one line for each import that the table does not allow."""
    lines = []
    for module in modules.values():
        layer = layer_of(module.name)
        if layer is None:
            lines.append(f"{module.path} belongs to no layer")
            continue
        lines += [
            f"{module.path}:{imported.line} imports {imported.name}: {reason}"
            for imported in dict.fromkeys(module.imports)
            if (reason := _reason_against(layer, imported, modules))
        ]
    return lines


def _reason_against(layer: str, imported: Import, modules: Mapping[str, Module]) -> str | None:
    if imported.name.startswith("."):
        return "relative imports hide the layer"
    inside = target(imported.name, modules)
    if inside is None:
        return _reason_against_outside(imported.name, LAYERS[layer].outside)
    if layer_of(inside) == layer or any(covers(name, inside) for name in LAYERS[layer].inside):
        return None
    # A package may import its own parts, and its parts its own top-level modules.
    if layer.split(".", maxsplit=1)[0] == inside.split(".")[0] and not covers("_openrouter.http", inside):
        return None
    return f"not below {layer}"


def _reason_against_outside(name: str, allowed: frozenset[str]) -> str | None:
    if any(covers(package, name) for package in allowed):
        return None
    if any(covers(package, name) for package in IMPURE):
        return "I/O, threads and clocks belong to the transport"
    if name.split(".", maxsplit=1)[0] in sys.stdlib_module_names:
        return None
    return "this module may not import that package"


def cycle(modules: Mapping[str, Module]) -> list[str]:
    """Return the names along one import cycle, its first name repeated at the end; empty if there is no cycle."""
    graph = {name: set(_neighbors(module, modules)) - {name} for name, module in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        names: list[str] = error.args[1]
        return names
    return []


def _neighbors(module: Module, modules: Mapping[str, Module]) -> Iterator[str]:
    for imported in module.imports:
        if inside := target(imported.name, modules):
            yield inside


def environment_reads(modules: Mapping[str, Module]) -> list[str]:
    """Return one line for each use of the environment outside `ENVIRONMENT_READERS`."""
    return [
        f"{module.path}:{line} reads the environment"
        for module in modules.values()
        if not any(covers(reader, module.name) for reader in ENVIRONMENT_READERS)
        for line in _environment_lines(module)
    ]


_READS = frozenset({"environ", "environb", "getenv", "getenvb"})
_HELPERS = frozenset({"from_env", "secret_from_env", "get_from_env", "get_from_dict_or_env"})


def _environment_lines(module: Module) -> Iterator[int]:
    for imported in module.imports:
        package, _, name = imported.name.rpartition(".")
        if name in _HELPERS or (package == "os" and name in _READS):
            yield imported.line
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and node.attr in _READS | _HELPERS:
            yield node.lineno


def imports_from_testing(modules: Mapping[str, Module]) -> list[str]:
    """Return the paths of modules outside `testing` that import it."""
    return [
        module.path
        for module in modules.values()
        if not covers("testing", module.name) and any(covers("testing", name) for name in _neighbors(module, modules))
    ]


def unused_permissions(modules: Mapping[str, Module]) -> list[str]:
    """Return the layers without modules, and the third-party packages that a layer lists and never imports."""
    lines = []
    for layer, allowed in LAYERS.items():
        members = [module for name, module in modules.items() if layer_of(name) == layer]
        imported = [imported_name.name for module in members for imported_name in module.imports]
        if not members:
            lines.append(f"{layer} has no modules")
        elif "testing" not in layer:
            third_party = (name for name in allowed.outside if name not in sys.stdlib_module_names)
            shared = LANGCHAIN | NETWORK
            lines += [
                f"{layer} does not import {name}"
                for name in sorted(third_party)
                if name not in shared and not any(covers(name, imported_name) for imported_name in imported)
            ]
    return lines


def full_name(module: str) -> str:
    """Return a module's name as users import it."""
    return PACKAGE if module == "__init__" else f"{PACKAGE}.{module}"
