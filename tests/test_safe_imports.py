"""Private names of other packages may disappear: the import and calls still work, in a new process each."""

import ast
import json
import os
from collections.abc import Iterator, Mapping, Sequence

import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.interpreters import Interpreter
from tests.structure.tree import PACKAGE, nodes_of, sources_in

CHAT_MODELS = "langchain_core.language_models.chat_models"
RUNNABLES = "langchain_core.runnables"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="each case runs in a copy of a process")

OPTIONAL = (
    (CHAT_MODELS, "_ChatModelBinding"),
    (CHAT_MODELS, "BaseChatModel._combine_llm_outputs"),
    (CHAT_MODELS, "BaseChatModel._get_ls_params"),
    (CHAT_MODELS, "BaseChatModel._resolve_model_profile"),
    ("langchain_core.language_models", "_compat_bridge"),
    ("langchain_core.language_models._compat_bridge", "chunks_to_events"),
    ("langchain_core.messages.block_translators", "register_translator"),
    ("langchain_core.utils.utils", "LC_ID_PREFIX"),
    ("langchain.chat_models.base", "_BUILTIN_PROVIDERS"),
    ("langchain.chat_models.base", "_call"),
    ("pydantic", "BaseModel.__pydantic_extra__"),
    ("pydantic", "BaseModel.__pydantic_fields_set__"),
    ("pydantic", "BaseModel.__pydantic_private__"),
)
"""Module and name: without it, models are made, answer and stream all the same."""

NEEDED = (
    (CHAT_MODELS, "BaseChatModel._add_version"),
    (CHAT_MODELS, "BaseChatModel._convert_input"),
    (CHAT_MODELS, "BaseChatModel._get_invocation_params"),
    (RUNNABLES, "Runnable._acall_with_config"),
    (RUNNABLES, "Runnable._atransform_stream_with_config"),
    (RUNNABLES, "Runnable._call_with_config"),
    (RUNNABLES, "Runnable._transform_stream_with_config"),
)
"""Module and name: LangChain's own packages call it too; without it the package can still be imported."""

WITH_DEFAULT = ("_close", "_connection", "_h11_state", "_otel_span")
"""Attributes that are read with a default: of aiohttp's connectors (without it, the garbage collector closes them), of
httpcore's connections (without them, bytes behind a reply go unnoticed),
and of Langfuse's observations (without it, the current span gets the costs; `tests/observability/test_spans.py`)."""


REMOVE = """
import importlib, json, os, sys, traceback, warnings

# LangChain has imported what it needs itself before a name is removed.
from langchain_core.language_models import BaseChatModel

assert "langchain_kimi" not in sys.modules


def remove(module, path):
    owner = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    holders = [holder for holder in getattr(owner, "__mro__", (owner,)) if name in vars(holder)]
    assert holders, f"{module} has no {path}"
    for holder in holders:
        delattr(holder, name)
    if f"{module}.{path}" in sys.modules:
        sys.modules[f"{module}.{path}"] = None  # its import fails


def call(base_url, code):
    from langchain_kimi import ChatKimi

    exec(code, {})
    if base_url:
        with ChatKimi(api_key="any", base_url=base_url, max_retries=0) as model:
            print(model.bind(temperature=0.5).invoke("hi").text)
            print("".join(chunk.text for chunk in model.stream("hi")))
            with warnings.catch_warnings(action="ignore"):
                print(model.stream_events("hi", version="v3").text)
    print(ChatKimi.__name__, flush=True)


base_url, code, cases = *sys.argv[1:3], json.loads(sys.argv[3])
for number, names in enumerate(cases):
    if (child := os.fork()) == 0:
        status = 1
        try:
            for module, path in names:
                remove(module, path)
            print(number, flush=True)
            call(base_url, code)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, names
"""
"""Runs each case in a copy of this process, in which LangChain is imported and `langchain_kimi` is not."""
OTHER_POOL = """
import httpx

POOLS = {}

class Transport(httpx.HTTPTransport):
    _pool = property(HOLDER.get, HOLDER.set)

httpx.HTTPTransport = Transport
"""
RENAMED = """
class HOLDER:
    get = lambda transport: transport._connections
    set = lambda transport, pool: setattr(transport, "_connections", pool)
"""
"""httpx's transport keeps its pool under another name."""
OUTSIDE = """
class HOLDER:
    get = lambda transport: POOLS[id(transport)]
    set = lambda transport, pool: POOLS.setdefault(id(transport), pool)
"""
"""httpx's transport has no attribute for its pool."""


def without(
    interpreter: Interpreter, cases: Sequence[Sequence[tuple[str, str]]], base_url: str = "", code: str = ""
) -> str:
    """Run the package without the names of each case, and the code after its import; return what it prints."""
    return interpreter.printed(REMOVE, base_url, code, json.dumps(cases))


APART = 4
"""Names are removed together with others whose position in `OPTIONAL` differs by a multiple of this number."""


@needs_fork
@pytest.mark.parametrize("step", [APART, pytest.param(len(OPTIONAL), marks=pytest.mark.long)], ids=["some", "each"])
def test_calls_work_without_private_names(openrouter: Emulator, interpreter: Interpreter, step: int) -> None:
    openrouter.script(Reply(text="Here it is."), times=3 * step)
    lines = without(interpreter, [OPTIONAL[start::step] for start in range(step)], openrouter.base_url).splitlines()
    assert lines == [line for number in range(step) for line in (str(number), *["Here it is."] * 3, "ChatKimi")]


@needs_fork
@pytest.mark.parametrize("holder", [RENAMED, OUTSIDE], ids=["renamed", "outside"])
def test_calls_work_where_httpx_keeps_its_pool_in_another_place(
    openrouter: Emulator, interpreter: Interpreter, holder: str
) -> None:
    openrouter.script(Reply(text="Here it is."), times=3)
    printed = without(interpreter, [[]], openrouter.base_url, holder + OTHER_POOL)
    assert printed.splitlines() == ["0", *["Here it is."] * 3, "ChatKimi"]


@needs_fork
def test_the_import_works_without_the_names_that_calls_need(interpreter: Interpreter) -> None:
    assert without(interpreter, [NEEDED]) == "0\nChatKimi\n"


OF_NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}
"""Public in spite of their names: Python documents them."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in OF_NAMED_TUPLES


def foreign_names(sources: Mapping[str, str]) -> Iterator[str]:
    """Yield the private names that modules use and do not define, and those that they import from other packages."""
    nodes = [(path, node) for path, source in sources.items() for node in nodes_of(source)]
    own = {name for _, node in nodes for name in _defined_by(node)}
    for path, node in nodes:
        match node:
            case ast.Attribute(attr=name) if is_private(name) and name not in own:
                yield f"{path}: {name}"
            case ast.ImportFrom(module=str(module), names=names) if not module.startswith(PACKAGE):
                inside = [part for part in module.split(".") if is_private(part)]
                yield from (
                    f"{path}: {name}" for name in [*inside, *(alias.name for alias in names)] if is_private(name)
                )
            case ast.Import(names=names):
                foreign = [alias.name for alias in names if not alias.name.startswith(PACKAGE)]
                parts = [part for name in foreign for part in name.split(".")]
                yield from (f"{path}: {part}" for part in parts if is_private(part))
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]) if is_private(name):
                yield f"{path}: {name}"
            case _:
                continue


def _defined_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.alias(name=name, asname=str(other)):
            yield other
        case _:
            return


def test_the_scan_sees_each_kind_of_use() -> None:
    source = """
from other import _imported, public
from other._inside import public as _renamed
import other._module
import langchain_kimi._reply
from langchain_kimi._reply import _helper

class Own:
    def _method(self):
        self._field = 1
        return self._field, self._method(), self._inherited(), _renamed, getattr(other, "_by_name")
"""
    names = ["_imported", "_inside", "_module", "_inherited", "_by_name"]
    assert sorted(foreign_names({"a.py": source})) == sorted(f"a.py: {name}" for name in names)


def test_every_private_name_of_another_package_is_in_the_table() -> None:
    listed = {path.split(".")[-1] for _, path in (*OPTIONAL, *NEEDED)} | set(WITH_DEFAULT)
    unlisted = [name for name in foreign_names(sources_in(PACKAGE)) if name.split(": ")[1] not in listed]
    assert not unlisted, "\n" + "\n".join(unlisted)
