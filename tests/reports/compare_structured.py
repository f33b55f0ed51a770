"""Write `docs/structured.md`: the results of ChatKimi and other packages for the same structured replies.

Runs in an environment with the other packages (`make compare` builds it). The emulator sends every reply over HTTP.
The replies are those of the tests.
"""

import asyncio
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from langchain_core.exceptions import ModelError, OutputParserException

from langchain_kimi.testing import Emulator
from scripts.compare_peers import MODELS
from tests.structured.cases import CASES, TYPED, Case, Person
from tests.structured.loopback import Wire

Outcomes = tuple[str, ...]
"""The outcomes of one reply in the four ways."""
REPORT = Path(__file__).parents[2] / "docs" / "structured.md"
REPLIES = [*CASES, *TYPED]
METHODS = ("function_calling", "json_schema", "json_mode", "default")
DEFAULTS = {"ChatKimi": "function_calling", "ChatOpenRouter": "function_calling", "ChatOpenAI": "json_schema"}
OUTCOMES = ("value", "typed error", "None", "untyped error", "wrong value")

INTRODUCTION = """# Structured output, reply by reply

This page is written by `make compare`. The emulator sends {replies} good and bad replies to a request for a person with
two fields, once for each of four methods with `moonshotai/kimi-k2-0905` and each of four ways to call; `default` is
`with_structured_output` without a method. If the ways differ, the numbers are those of
`invoke / stream / ainvoke / astream`; for streams, the last value counts. Measured with {versions}, Python {python}.

- **value**: the value in the reply;
- **typed error**: one of langchain-core's `ModelError`s, or its `OutputParserException`;
- **None**: neither a value nor an error, or a stream without a value;
- **untyped error**: any other exception;
- **wrong value**: a value that differs from that in the reply, or a value from a reply without a valid one. Such
  replies are truncated by the token limit, have two different values (also of one key), or have the value inside
  another key or in the reasoning.
"""


def outcome(way: Callable[[], Any], expected: Any) -> str:
    """Return the outcome of one call."""
    try:
        value = way()
    except IndexError:
        # A stream without a value.
        return "None"
    except (ModelError, OutputParserException):
        return "typed error"
    except Exception:  # noqa: BLE001 - any exception is a result
        return "untyped error"
    if value is None:
        return "None"
    return "value" if isinstance(value, Person) and value.model_dump() == expected else "wrong value"


def outcomes(name: str, method: str) -> dict[str, Outcomes]:
    """Return the outcomes of each reply for one model and method, in each of the four ways."""
    chosen: dict[str, Any] = {} if method == "default" else {"method": method}
    by_call = (DEFAULTS[name] if method == "default" else method) == "function_calling"
    outcomes_of: dict[str, Outcomes] = {}
    with Emulator() as emulator, asyncio.Runner() as runner, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MODELS[name](emulator.base_url, max_retries=0)
        runnable, wire = model.with_structured_output(Person, **chosen), Wire(emulator, model, runner)
        for case in REPLIES:
            expected, outcomes_of[case.name] = case.expected(by_call=by_call, pydantic=True), ()
            for way in wire.ways(runnable):
                emulator.clear()
                wire.script(case)
                outcomes_of[case.name] += (outcome(way, expected),)
    return outcomes_of


def joined(figures: Sequence[Any]) -> str:
    """Return the figures of the four ways, or one if all are equal."""
    return " / ".join(map(str, figures if len(set(figures)) > 1 else figures[:1]))


def expected_outcome(case: Case, *, by_call: bool) -> str:
    """Return the expected outcome of a reply."""
    return "value" if isinstance(case.expected(by_call=by_call, pydantic=True), dict) else "typed error"


def main() -> None:
    """Run all replies and write the report."""
    packages = ("langchain-core", "langchain-openrouter", "langchain-openai")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = sys.version.split()[0]
    lines = [INTRODUCTION.format(replies=len(REPLIES), versions=versions, python=python)]
    lines += ["| method | model | " + " | ".join(OUTCOMES) + " |", "| --- | --- |" + " ---: |" * len(OUTCOMES)]
    results: dict[str, dict[str, dict[str, Outcomes]]] = {}
    for method in METHODS:
        results[method] = {name: outcomes(name, method) for name in MODELS}
        for name, outcomes_of in results[method].items():
            counts = [Counter(ways) for ways in zip(*outcomes_of.values(), strict=True)]
            cells = [joined([count[kind] for count in counts]) for kind in OUTCOMES]
            lines.append(f"| `{method}` | {name} | " + " | ".join(cells) + " |")
            print(lines[-1])
    lines += ["", "## Each reply with the default method", "", "| reply | expected | " + " | ".join(MODELS) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(MODELS))
    for case in REPLIES:
        cells = [
            expected_outcome(case, by_call=True),
            *(joined(results["default"][name][case.name]) for name in MODELS),
        ]
        lines.append(f"| {case.name} | " + " | ".join(cells) + " |")
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
