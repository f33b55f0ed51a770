"""Measure how the CPU of streamed structured output grows with the reply: it is to be linear.

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

SIZES = (625, 1250, 2500, 5000, 10_000, 20_000)
QUICK = (20, 40)
# LangChain's own parsers read all that has come with each chunk: at 1,250 fields that is seconds.
LARGEST_OF_CORE = 1250
SCHEMA = {"title": FUNCTION, "type": "object", "properties": {}}
METHODS = ("json_schema", "json_mode", "function_calling")
INTRODUCTION = """Microseconds of CPU per field, the least of {rounds} runs: one object of so many fields
(`"field 7": "value 7"`) in chunks of {letters} characters. *growth* is the last figure of a row in parts of its first:
linear is about 1, or less where the start is dear.

*the whole way* is `with_structured_output(a dict).stream` from the socket to growing dicts, and back over loopback a
server in a process of its own. *uncollected* is the whole way with `gc.disable()`: langchain-core keeps all chunks to
the end, and from some thousand fields on Python's garbage collector looks at them again and again, each time that they
are a quarter more.

The others are the parser alone: *dict* yields growing dicts, *class* one pydantic object at the end, *partial* growing
ones (`partial=True`). *langchain-core* is its `JsonOutputParser` and, for calls, `JsonOutputToolsParser`, up to
{largest} fields, measured once. *langchain-core's stream* is what a model costs below the parser that has its chunks
ready: at the end of every stream they are added up, and for each piece of a call the arguments so far are copied.
ChatKimi's chunks are added up at once.
"""


class Fields(BaseModel, extra="allow"):
    """Any fields."""


class Told(BaseChatModel):
    """Streams the chunks that it was made with."""

    chunks: Sequence[AIMessageChunk]

    @property
    def _llm_type(self) -> str:
        return "told"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """Bind tools, in the package's own way."""
        return self.bind(**bind_arguments(tools, **kwargs))

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        raise NotImplementedError("It is streamed only.")

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        return (ChatGenerationChunk(message=chunk) for chunk in self.chunks)


def reply(fields: int, method: str) -> list[AIMessageChunk]:
    """Make the chunks of an object of so many fields."""
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
    """Make a job of a stream: to take it whole."""
    return lambda: sum(1 for _ in made())


def whole_way(url: str, fields: int, method: str, kind: str) -> Job:
    """Make a job of a stream from the server's socket to growing dicts."""
    base = f"{url}/{kind}/{fields}/whole"
    model = ChatKimi(openrouter_api_key=SecretStr("sk-or-v1-benchmark"), openrouter_api_base=base, max_retries=0)
    runnable = model.with_structured_output(SCHEMA, method=method)  # type: ignore[call-overload]  # one of METHODS
    return drained(lambda: runnable.stream("?"))


def jobs(fields: int, method: str, url: str) -> dict[str, Job]:
    """Give what is measured for one size and one method, by column."""
    chunks = reply(fields, method)
    model = Told(chunks=chunks)
    kinds: dict[str, tuple[Any, bool]] = {"dict": (SCHEMA, False), "class": (Fields, False), "partial": (Fields, True)}
    by_call = method == "function_calling"
    measured = {"the whole way": whole_way(url, fields, method, "object-call" if by_call else "object")}
    measured["uncollected"] = without_collector(measured["the whole way"])
    for kind, (schema, partial) in kinds.items():
        runnable: Any = structured_output(model, schema, method=method, partial=partial)  # type: ignore[arg-type]  # one of METHODS
        measured[kind] = drained(lambda parser=runnable.last: parser.transform(iter(chunks)))  # type: ignore[misc]  # bound at once
    measured["langchain-core's stream"] = drained(lambda: model.stream("?"))
    return measured


def langchain_s_own(fields: int, method: str) -> Samples:
    """Measure langchain-core's parser, once: it is slow enough to need no more."""
    chunks = reply(fields, method)
    own = JsonOutputToolsParser() if method == "function_calling" else JsonOutputParser()
    samples = Samples()
    samples.add(drained(lambda: own.transform(iter(chunks))))
    return samples


def measured_growth(sizes: Sequence[int], rounds: int, method: str) -> dict[str, dict[int, float]]:
    """Measure one method; gives the microseconds a field by column and size."""
    times: dict[str, dict[int, float]] = {}
    with server() as url:
        for fields in sizes:
            measured = interleaved(jobs(fields, method, url), rounds)
            if fields <= LARGEST_OF_CORE:
                measured["langchain-core"] = langchain_s_own(fields, method)
            for column, samples in measured.items():
                times.setdefault(column, {})[fields] = min(samples.cpu) / fields * 1e6
    return times


def report(sizes: Sequence[int], rounds: int) -> Iterator[str]:
    """Yield the lines of the report, one table a method."""
    yield INTRODUCTION.format(rounds=rounds, letters=LETTERS, largest=f"{LARGEST_OF_CORE:,}")
    for method in METHODS:
        times = measured_growth(sizes, rounds, method)
        yield f"### {method}\n"
        yield f"| | {' | '.join(f'{fields:,}' for fields in sizes)} | growth |"
        yield f"| --- |{' ---: |' * (len(sizes) + 1)}"
        for column, figures in times.items():
            cells = [f"{figures[fields]:.1f}" if fields in figures else "" for fields in sizes]
            growth = list(figures.values())[-1] / next(iter(figures.values()))
            yield f"| {column} | {' | '.join(cells)} | {growth:.1f} |"
        yield ""


def main() -> None:
    """Measure, print and, if wished, write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small replies only, to see that it runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    lines = []
    for line in report(QUICK if chosen.quick else SIZES, chosen.rounds):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        lines.append(line)
    if chosen.out:
        chosen.out.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
