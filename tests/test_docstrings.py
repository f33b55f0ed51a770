"""The code in docstrings, which the API reference shows, runs as printed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_core.tracers.langchain import wait_for_all_tracers
from pydantic import BaseModel

import langchain_kimi
from langchain_kimi import ChatKimi, bulk
from langchain_kimi.batch import BatchHandle
from langchain_kimi.testing import Emulator, Reply, faults
from tests.conftest import KEY
from tests.pages import ROOT, Block, blocks
from tests.rows import each_row

CODE = [block for path in sorted((ROOT / "langchain_kimi").rglob("*.py")) for block in blocks(path)]
TEXTS = ["Two lamps.", "Nine chairs."]


class Order(BaseModel):
    """An order."""

    item: str


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"Sunny in {city}."


class Dataset:
    """Calls a class for one batch, as Ray Data does: with the arguments of its constructor."""

    def map_batches(self, kind: Callable[..., Any], *, fn_constructor_args: tuple[Any, ...], **_: Any) -> None:
        """Print the table with the results."""

        async def ask() -> list[Any]:
            tables: AsyncIterator[pa.Table] = kind(*fn_constructor_args)(pa.table({"text": TEXTS}))
            return [row["result"]["text"] async for table in tables for row in table.to_pylist()]

        print(asyncio.run(ask()))  # noqa: T201 - what the example shows


class Frame(dict[str, list[str]]):
    """Columns, as in Daft."""

    def with_column(self, name: str, values: list[Any]) -> "Frame":
        """Return the columns with one more."""
        return Frame(self, **{name: values})


def daft_class(kind: Callable[..., Any], **_: Any) -> Callable[..., Any]:
    """Return a class whose instances are called for each value of a column, as in Daft."""

    def create(*arguments: Any) -> Callable[[list[str]], list[Any]]:
        async def ask(column: list[str]) -> list[Any]:
            instance = kind(*arguments)
            return list(await asyncio.gather(*map(instance, column)))

        return lambda column: asyncio.run(ask(column))

    return create


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    with Emulator() as openrouter:
        yield openrouter


def build() -> Any:
    """Return the runnable of a worker, which gets a text or a row."""
    return (lambda row: row["text"] if isinstance(row, dict) else row) | ChatKimi()


def names() -> dict[str, Any]:
    """Return the names that the examples use but do not define."""
    batch_model = ChatKimi(model="moonshotai/kimi-k3")
    return {name: getattr(langchain_kimi, name) for name in langchain_kimi.__all__} | {
        "BatchHandle": BatchHandle,
        "Emulator": Emulator,
        "Order": Order,
        "Path": Path,
        "Reply": Reply,
        "agent": create_agent(ChatKimi(max_tokens=1000), [get_weather]),
        "build": build,
        "bulk": bulk,
        "dataset": Dataset(),
        "daft": SimpleNamespace(cls=daft_class),
        "faults": faults,
        "frame": Frame(text=TEXTS),
        "model": batch_model,
        "prompt": ChatPromptTemplate.from_template("{question}"),
        "question": {"messages": [HumanMessage("What is the weather in Oslo?")]},
        "text": batch_model.submit_batch(TEXTS).model_dump_json(),
        "tools": [get_weather],
    }


@pytest.mark.waits
# `loads` is a beta of langchain-core.
@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@each_row("block", CODE, ids=lambda block: f"{block.page}:{block.line}")
def test_the_code_of_a_docstring_runs(
    block: Block,
    shared: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OPENROUTER_API_BASE", shared.base_url)
    # The traces of LangSmithCosts stay on this machine, too; the emulator refuses them.
    monkeypatch.setenv("LANGSMITH_ENDPOINT", shared.base_url)
    Path("letters.jsonl").write_text('{"text": "Two lamps."}\n')
    shared.clear()
    with bulk.Shared(out="results.jsonl", max_cost=5) as run:
        namespace = names() | {"shared": run}
        # The comment `use a client of openrouter.base_url` stands for a call.
        call = "ChatKimi(base_url=openrouter.base_url).invoke('Hello.')"
        block._replace(code=block.code.replace("...  # use", f"{call}  # use")).run(namespace)
    wait_for_all_tracers()
    printed = capsys.readouterr().out
    assert printed or "print(" not in block.code
    if summary := namespace.get("summary"):
        assert summary.answered == 1
    if "result" in namespace:
        assert namespace["result"].error is None
    if answers := namespace["frame"].get("result"):
        assert [answer["error"] for answer in answers] == [None, None]


def test_docstrings_have_code() -> None:
    assert len(CODE) > 10
