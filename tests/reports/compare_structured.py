"""Put ChatKimi and its peers before the same replies to a request for an object: `docs/structured.md`.

Runs in an environment that has the peers (`make compare` builds it). Every reply goes over a real HTTP exchange with
the package's emulator; nothing is mocked. The replies are those of the tests.
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
"""What one reply came to in each way."""
REPORT = Path(__file__).parents[2] / "docs" / "structured.md"
REPLIES = [*CASES, *TYPED]
METHODS = ("function_calling", "json_schema", "json_mode", "default")
DEFAULTS = {"ChatKimi": "function_calling", "ChatOpenRouter": "function_calling", "ChatOpenAI": "json_schema"}
OUTCOMES = ("value", "typed error", "None", "untyped error", "wrong value")

INTRODUCTION = """# Structured output, reply by reply

Written by `make compare`. {replies} replies to a request for a person of two fields, good and bad, come from the
emulator over HTTP, once for each of four methods to ask `moonshotai/kimi-k2-0905` by and each of four ways to call;
`default` is `with_structured_output` without a method. Where the ways differ the figures are those of
`invoke / stream / ainvoke / astream`; of a stream the last value counts. Measured with {versions}, Python {python}.

- **value**: what the reply holds;
- **typed error**: one of langchain-core's `ModelError`s, or its `OutputParserException`;
- **None**: neither a value nor an error; of a stream also no value at all;
- **untyped error**: any other exception;
- **wrong value**: another value than the reply's, or one from a reply that does not answer for it: cut off by the
  token limit, with two different values (of one key, too), or with the value inside another key or in a thought.
"""


def outcome(way: Callable[[], Any], expected: Any) -> str:
    """Say what one reply came to, asked for in one way."""
    try:
        value = way()
    except IndexError:
        # A stream without a value.
        return "None"
    except (ModelError, OutputParserException):
        return "typed error"
    except Exception:  # noqa: BLE001 - whatever it is, it is the result
        return "untyped error"
    if value is None:
        return "None"
    return "value" if isinstance(value, Person) and value.model_dump() == expected else "wrong value"


def outcomes(name: str, method: str) -> dict[str, Outcomes]:
    """Say what each reply came to, with one model asked by one method, in each of the four ways."""
    chosen: dict[str, Any] = {} if method == "default" else {"method": method}
    by_call = (DEFAULTS[name] if method == "default" else method) == "function_calling"
    found: dict[str, Outcomes] = {}
    with Emulator() as emulator, asyncio.Runner() as runner, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MODELS[name](emulator.base_url, max_retries=0)
        runnable, wire = model.with_structured_output(Person, **chosen), Wire(emulator, model, runner)
        for case in REPLIES:
            expected, found[case.name] = case.expected(by_call=by_call, pydantic=True), ()
            for way in wire.ways(runnable):
                emulator.clear()
                wire.script(case)
                found[case.name] += (outcome(way, expected),)
    return found


def said(figures: Sequence[Any]) -> str:
    """Write down what came of the four ways: once if it is the same."""
    return " / ".join(map(str, figures if len(set(figures)) > 1 else figures[:1]))


def due(case: Case, *, by_call: bool) -> str:
    """Say what a reply should come to."""
    return "value" if isinstance(case.expected(by_call=by_call, pydantic=True), dict) else "typed error"


def main() -> None:
    """Run all replies and write the report."""
    packages = ("langchain-core", "langchain-openrouter", "langchain-openai")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    python = sys.version.split()[0]
    lines = [INTRODUCTION.format(replies=len(REPLIES), versions=versions, python=python)]
    lines += ["| method | model | " + " | ".join(OUTCOMES) + " |", "| --- | --- |" + " ---: |" * len(OUTCOMES)]
    seen: dict[str, dict[str, dict[str, Outcomes]]] = {}
    for method in METHODS:
        seen[method] = {name: outcomes(name, method) for name in MODELS}
        for name, found in seen[method].items():
            counts = [Counter(ways) for ways in zip(*found.values(), strict=True)]
            cells = [said([count[kind] for count in counts]) for kind in OUTCOMES]
            lines.append(f"| `{method}` | {name} | " + " | ".join(cells) + " |")
            print(lines[-1])
    lines += ["", "## Each reply, asked for in the default way", "", "| reply | due | " + " | ".join(MODELS) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(MODELS))
    for case in REPLIES:
        cells = [due(case, by_call=True), *(said(seen["default"][name][case.name]) for name in MODELS)]
        lines.append(f"| {case.name} | " + " | ".join(cells) + " |")
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
