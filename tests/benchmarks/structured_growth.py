"""Measure how the CPU time of streamed structured output grows with the reply; the goal is linear growth.

python -m tests.benchmarks.structured_growth [--quick] [--rounds 3] [--out FILE]
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputToolsParser
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import BaseModel, SecretStr

from langchain_kimi import ChatKimi
from langchain_kimi._schemas.tools import bind_arguments
from langchain_kimi._structured.plan import structured_output
from tests.benchmarks.measuring import Job, Samples, interleaved, server, without_collector
from tests.benchmarks.server import FUNCTION, LETTERS, object_pieces
from tests.benchmarks.tables import Figures, table

SIZES = (250, 500, 2_000, 10_000)
QUICK = (20, 40)
# LangChain's own parsers parse the whole text again with each chunk, which takes seconds at 1,000 fields.
LARGEST_OF_CORE = 500
SCHEMA = {"title": FUNCTION, "type": "object", "properties": {}}
METHODS = ("json_schema", "json_mode", "function_calling")
MEASURED = ("json_schema", "function_calling")
"""The measured methods; the reply of `json_mode` is read as that of `json_schema`."""
INTRODUCTION = """Microseconds of CPU per field, the minimum of {rounds} runs, for one object with this number of fields
(`"field 7": "value 7"`) in chunks of {letters} characters. *growth* is the last figure of a row divided by the first:
about 1 means linear, less means that the start is expensive. The reply of `json_mode` is read as that of `json_schema`.

*end to end* is `with_structured_output(a dict).stream` from the socket to growing dicts, with the server in a separate
process. *GC off* is the same with `gc.disable()`: langchain-core keeps all chunks until the end of a stream, and with
some thousand fields, Python's garbage collector scans them repeatedly, whenever their number has grown by a quarter.

The other rows are the parser alone: *dict* yields growing dicts, *class* one pydantic object at the end, *partial*
growing objects (`partial=True`). *langchain-core* is its `JsonOutputParser` or, for calls, `JsonOutputToolsParser`, up
to {largest} fields, measured once. *langchain-core's stream* is the cost of a model whose chunks are ready: at the end
of a stream langchain-core sums them, and copies the arguments for each delta of a call. ChatKimi's chunks are summed
in one step.
"""


class Fields(BaseModel, extra="allow"):
    """Any fields."""


class Replay(BaseChatModel):
    """Streams the chunks that it was created with."""

    chunks: Sequence[AIMessageChunk]

    @property
    def _llm_type(self) -> str:
        return "replay"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """Bind tools as ChatKimi does."""
        return self.bind(**bind_arguments(tools, **kwargs))

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        raise NotImplementedError("This model only streams.")

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        return (ChatGenerationChunk(message=chunk) for chunk in self.chunks)


def reply(fields: int, method: str) -> list[AIMessageChunk]:
    """Return the chunks of an object with this number of fields."""
    texts = object_pieces(fields)
    metadata = {"model_provider": "openrouter"}
    if method != "function_calling":
        return [AIMessageChunk(content=text, response_metadata=dict(metadata)) for text in texts]
    start, *more = [("Fields", "call-0", ""), *((None, None, text) for text in texts)]
    return [
        AIMessageChunk(
            content="",
            response_metadata=dict(metadata),
            tool_call_chunks=[{"name": name, "args": text, "id": id_, "index": 0, "type": "tool_call_chunk"}],
        )
        for name, id_, text in (start, *more)
    ]


def drained(made: Callable[[], Iterator[Any]]) -> Job:
    """Return a job that reads a stream to its end."""
    return lambda: sum(1 for _ in made())


def end_to_end(url: str, fields: int, method: str, kind: str) -> Job:
    """Return a job that streams growing dicts from the server."""
    base = f"{url}/{kind}/{fields}/whole"
    model = ChatKimi(openrouter_api_key=SecretStr("sk-or-v1-benchmark"), openrouter_api_base=base, max_retries=0)
    runnable = model.with_structured_output(SCHEMA, method=method)  # type: ignore[call-overload]  # one of METHODS
    return drained(lambda: runnable.stream("?"))


def jobs(fields: int, method: str, url: str) -> dict[str, Job]:
    """Return the jobs for one size and one method, by the name of the row."""
    chunks = reply(fields, method)
    model = Replay(chunks=chunks)
    kinds: dict[str, tuple[Any, bool]] = {"dict": (SCHEMA, False), "class": (Fields, False), "partial": (Fields, True)}
    by_call = method == "function_calling"
    measured = {"end to end": end_to_end(url, fields, method, "object-call" if by_call else "object")}
    measured["GC off"] = without_collector(measured["end to end"])
    for kind, (schema, partial) in kinds.items():
        runnable: Any = structured_output(model, schema, method=method, partial=partial)  # type: ignore[arg-type]  # one of METHODS
        measured[kind] = drained(lambda parser=runnable.last: parser.transform(iter(chunks)))  # type: ignore[misc]  # bound at once
    measured["langchain-core's stream"] = drained(lambda: model.stream("?"))
    return measured


def core_parser(fields: int, method: str) -> Samples:
    """Measure langchain-core's parser once; it is so slow that one run is enough."""
    chunks = reply(fields, method)
    own = JsonOutputToolsParser() if method == "function_calling" else JsonOutputParser()
    samples = Samples()
    samples.add(drained(lambda: own.transform(iter(chunks))))
    return samples


def measured_growth(sizes: Sequence[int], rounds: int, method: str) -> dict[str, dict[int, float]]:
    """Measure one method, and return the microseconds per field by the name of the row and the size."""
    times: dict[str, dict[int, float]] = {}
    with server() as url:
        for fields in sizes:
            measured = interleaved(jobs(fields, method, url), rounds)
            if fields <= LARGEST_OF_CORE:
                measured["langchain-core"] = core_parser(fields, method)
            for column, samples in measured.items():
                times.setdefault(column, {})[fields] = min(samples.cpu) / fields * 1e6
    return times


def report(sizes: Sequence[int], rounds: int, figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the report, one table per method."""
    yield INTRODUCTION.format(rounds=rounds, letters=LETTERS, largest=f"{LARGEST_OF_CORE:,}")
    for method in MEASURED:
        yield f"### {method}\n"
        times = measured_growth(sizes, rounds, method)
        for fields in sizes:
            values = {name: each[fields] for name, each in times.items() if fields in each}
            figures.add_values("structured", f"{method}, {fields:,} fields, µs per field", values, "end to end")
        yield from table(["", *(f"{fields:,}" for fields in sizes), "growth"], _rows(sizes, times))


def _rows(sizes: Sequence[int], times: dict[str, dict[int, float]]) -> Iterator[list[str]]:
    for name, micros in times.items():
        growth = list(micros.values())[-1] / next(iter(micros.values()))
        yield [name, *(f"{micros[fields]:.1f}" if fields in micros else "" for fields in sizes), f"{growth:.1f}"]


def main() -> None:
    """Measure, print the report, and write it if `--out` is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small replies, to check that everything runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    lines = []
    for line in report(QUICK if chosen.quick else SIZES, chosen.rounds, Figures()):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        lines.append(line)
    if chosen.out:
        chosen.out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
