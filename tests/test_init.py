"""The names of the package: some are only imported when they are used."""

import inspect
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, get_type_hints

import pytest

import langchain_kimi
from langchain_kimi import Host, Prediction, ProviderPreferences, Reasoning, Timeout
from tests.interpreters import Interpreter

LAZY = ("Budget", "TokenCount", "track_costs")


# What `import langchain_kimi` leaves out, because few programs use it or not every call does.
LEFT_OUT = {
    "a part of the package": (
        "batch", "bulk", "callbacks", "catalog", "cli", "middleware", "observability", "testing", "verify",
        "_costs.budget", "_costs.ledger", "_costs.records", "_costs.tracking", "_kimi.call_arguments",
        "_kimi.markup.parser", "_kimi.markup.tags", "_openrouter.json_schema", "_openrouter.overflow",
        "_openrouter.parameters.server_tools", "_request.assistant", "_request.content", "_request.media",
        "_structured.parser", "_structured.plan",
        "_tokens.counting", "_tokens.estimate", "_tokens.vocabulary",
    ),
    "an optional package": (
        "aiohttp", "bm25s", "datasets", "genai_prices", "httptools", "huggingface_hub", "json5", "jsonschema",
        "langchain", "langgraph", "opentelemetry", "platformdirs", "ray", "redis", "rich", "sqlite3", "uvloop",
    ),
    "a package that is needed later": ("h11", "httpcore", "langchain_core.tools", "tiktoken"),
}  # fmt: skip


VALIDATORS = """
from typing import Any
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, LLMResult
from langchain_kimi._reply.chunk_sums import FirstMessage, LastMessage, last_message, with_first
from langchain_kimi._structured.binding import ModelBinding
from pydantic import TypeAdapter

kinds = FirstMessage, LastMessage, ModelBinding
print([kind.__pydantic_complete__ for kind in kinds])
text = AIMessageChunk(content="hi")
[chunk] = with_first([ChatGenerationChunk(message=text)], has_tools=True)
print(type(chunk.message).__name__, LLMResult(generations=[[chunk]]).model_dump()["generations"][0][0]["text"])
last = last_message(text, [], [{"type": "invalid_tool_call", "name": "f", "args": "", "id": "", "error": ""}])
print(type(last).__name__, TypeAdapter(Any).dump_python(last) == last.model_dump())
print([kind.__pydantic_complete__ for kind in kinds])
"""


def test_the_import_skips_rarely_used_modules(interpreter: Interpreter) -> None:
    program = (
        "import sys, langchain_core.language_models.chat_models; before = {*sys.modules}; import langchain_kimi; "
        "print(*({*sys.modules} - before))"
    )
    imported = set(interpreter.printed(program).split())
    assert "langchain_kimi.chat_models" in imported
    own, *others = LEFT_OUT.values()
    left_out = {f"langchain_kimi.{name}" for name in own}.union(*others)
    below = tuple(f"{name}." for name in left_out)
    assert {name for name in imported if name in left_out or name.startswith(below)} == set()


def test_the_first_call_of_a_model_imports_no_client(interpreter: Interpreter) -> None:
    program = "import sys; from langchain_kimi import ChatKimi; ChatKimi(api_key='k'); print('httpcore' in sys.modules)"
    assert interpreter.printed(program) == "True\n"


def test_the_modules_that_the_import_skips_exist() -> None:
    names = LEFT_OUT["a part of the package"]
    assert [name for name in names if find_spec(f"langchain_kimi.{name}") is None] == []


def test_the_validators_of_chunks_and_bindings_are_made_when_they_are_needed(interpreter: Interpreter) -> None:
    assert interpreter.printed(VALIDATORS).splitlines() == [
        "[False, False, False]", "FirstMessage hi", "LastMessage True", "[False, True, False]"
    ]  # fmt: skip


def test_the_schema_of_the_model_has_no_schemas_of_options_and_hosts() -> None:
    schema = str(langchain_kimi.ChatKimi.__pydantic_core_schema__)
    assert "'temperature'" in schema
    assert [kind for kind in (Host, Prediction, ProviderPreferences, Reasoning, Timeout) if f"{kind!r}" in schema] == []
    options = {"provider": {"only": ["novita"]}, "reasoning": {"effort": "low"}, "timeout": Timeout(idle=1.0)}
    dumped = langchain_kimi.ChatKimi(api_key="k", host=Host(name="x", base_url="https://x"), **options).model_dump()
    assert ProviderPreferences(**dumped["provider"]).to_wire() == options["provider"]
    assert Reasoning(**dumped["reasoning"]).to_wire() == options["reasoning"]
    assert dumped["request_timeout"] == {"connect": 10.0, "idle": 1.0, "total": None}
    assert Host(**dumped["host"]) == Host(name="x", base_url="https://x")


def test_the_import_does_not_import_langchain(interpreter: Interpreter) -> None:
    program = "import sys, langchain_kimi.callbacks; print({'langchain', 'langgraph'} & {*sys.modules})"
    assert interpreter.printed(program) == "set()\n"


def test_a_name_is_imported_when_it_is_used(interpreter: Interpreter) -> None:
    uses = "; ".join(f"print(langchain_kimi.{name}.__name__, {name!r} in vars(langchain_kimi))" for name in LAZY)
    assert interpreter.printed(f"import langchain_kimi; {uses}").splitlines() == [f"{name} True" for name in LAZY]


def test_the_module_of_callbacks_needs_no_separate_import(interpreter: Interpreter) -> None:
    assert interpreter.printed("import langchain_kimi; print(langchain_kimi.callbacks.Budget.__name__)") == "Budget\n"
    assert isinstance(langchain_kimi.__getattr__("callbacks"), ModuleType)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'langchain_kimi' has no attribute 'Chat'"):
        langchain_kimi.__getattr__("Chat")
    assert langchain_kimi.__getattr__("Budget") is langchain_kimi.Budget


def test_the_names_can_be_listed() -> None:
    assert {*LAZY, "ChatKimi"} <= {*dir(langchain_kimi)}


def test_the_annotations_of_all_public_functions_can_be_resolved() -> None:
    public = (
        "batch", "bulk", "callbacks", "catalog", "errors", "middleware", "observability", "testing", "verify"
    )  # fmt: skip
    modules = [langchain_kimi, *(import_module(f"langchain_kimi.{name}") for name in public)]
    objects = {getattr(module, name) for module in modules for name in module.__all__}
    functions = {one for one in objects if inspect.isfunction(one)} | {
        function for one in objects if inspect.isclass(one) for function in _own_functions(one)
    }
    assert len(functions) > 300
    for function in functions:
        get_type_hints(function)


def _own_functions(owner: type) -> list[Any]:
    members = [inspect.getattr_static(owner, name) for name in dir(owner)]
    functions = [getattr(one, "fget", None) or getattr(one, "__func__", one) for one in members]
    return [one for one in functions if inspect.isfunction(one) and one.__module__.startswith("langchain_kimi")]
