"""Write `docs/faults.md`: the result of every failure in each of the four ways.

Each cell is a real call over loopback. The part of the report below the marker comes from `scripts/soak.py` and is not
changed.
"""

import re
import sys
from importlib.metadata import version
from pathlib import Path

from langchain_kimi.errors import KimiError
from langchain_kimi.testing.faults import CONNECTIONS, HOSTILE
from tests.faults import replies, statuses, streams, transfers
from tests.faults.cases import Case, Played, partial_of, play
from tests.faults.hostile_outcomes import OUTCOMES
from tests.faults.ways import WAYS

REPORT = Path(__file__).parents[2] / "docs" / "faults.md"
SOAK = "<!-- soak -->"
GENERATION = re.compile(r"gen-\d+-\w*")
LONGEST = 70
"""The number of characters of a reason that are shown."""
PARTS = {
    "An HTTP status of failure": statuses.CASES,
    "A failure inside a reply that began normally": replies.CASES,
    "The bytes themselves": streams.CASES,
    "The transfer": transfers.CASES,
}
PACKAGES = ("langchain-core", "httpx", "httpcore", "pydantic")
HEAD = """# Results of failures

This page is written by `make faults`. Every cell is the result of a real call over loopback; `tests/faults` asserts it
in every run of the tests. Waits between attempts are skipped unless the server requests them. `max_retries` is 2, the
default.

Each cell shows the number of requests, and the parts of the answer that the error carries: text (in characters), tool
calls (all of them invalid), usage, and the generation id. A stream is never retried after a part of it was yielded.
"""


def happened(case: Case, way: str) -> str:
    """Return the result of a case in a few words."""
    played = play(case, way)
    error = played.outcome.error
    requests = f"{played.requests} requests" if played.requests > 1 else "1 request"
    if error is None:
        return f"{_answer(played)}; {requests}"
    if not isinstance(error, KimiError):
        return f"**`{type(error).__name__}`**; {requests}"
    facts = [f"`{type(error).__name__}`", str(error.status or ""), error.provider or ""]
    return f"{' '.join(filter(None, facts))}; {requests}{_parts(error)}"


def _answer(played: Played) -> str:
    message = played.outcome.message
    if message is None:
        return "nothing"
    parts = [f"{len(message.text)} characters"] if message.text else []
    parts += [f"calls: {len(message.tool_calls)}"] if message.tool_calls else []
    parts += [f"invalid calls: {len(message.invalid_tool_calls)}"] if message.invalid_tool_calls else []
    return "answer: " + ", ".join(parts)


def _parts(error: KimiError) -> str:
    partial = partial_of(error)
    parts = [f"{len(partial.text)} characters"] if partial.text else []
    parts += [f"calls: {len(partial.invalid_tool_calls)}"] if partial.invalid_tool_calls else []
    parts += ["usage"] if error.usage else []
    parts += ["id"] if error.generation_id else []
    return f"; has {', '.join(parts)}" if parts else ""


def reason(case: Case) -> str:
    """Return the reason of the error of `invoke`, shortened, without parts that differ between runs."""
    error = play(case, "invoke").outcome.error
    if not isinstance(error, KimiError):
        return ""
    text = GENERATION.sub("gen-…", " ".join(error.reason.split()))
    return text[:LONGEST].replace("|", r"\|") + ("…" if len(text) > LONGEST else "")


def table(title: str, cases: tuple[Case, ...]) -> list[str]:
    """Return the lines of the table of some cases; a cell that equals an earlier one names it."""
    ways = [f"`{way}`" for way in WAYS]
    lines = ["", f"## {title}", "", "| failure | reason of the error | " + " | ".join(ways) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(WAYS))
    for case in cases:
        cells = [happened(case, way) for way in WAYS]
        shown = [cell if (first := cells.index(cell)) == at else f"as {ways[first]}" for at, cell in enumerate(cells)]
        lines.append(f"| {case.what} | {reason(case)} | " + " | ".join(shown) + " |")
        print(lines[-1])
    return lines


HOSTILE_HEAD = """
## Hostile replies

Replies that no honest server sends, over raw sockets: `langchain_kimi.testing.faults.HOSTILE`. `tests/faults` plays
each of them in the four ways. The result is that of `invoke` and `ainvoke`, and that of `stream` and `astream`. A call
with another key on the same connections then gets its own answer. A reply without end stops at the limits of time or
size, whichever comes first.

| reply | what is sent | plain | streamed |
| --- | --- | --- | --- |"""
CONNECTIONS_HEAD = """
## Hostile connections

Connections that break, hang or lie at other moments: `langchain_kimi.testing.faults.CONNECTIONS`. Those that never end
stop at the limits of time.

| connection | what happens | a client should |
| --- | --- | --- |"""
SHOULD = {
    "answers": "return the answer",
    "fails": "raise an error",
    "either": "do one of both",
    "stops": "stop at its limits",
}


def hostile_table() -> list[str]:
    """Return the lines of the tables of hostile replies and connections."""
    lines = HOSTILE_HEAD.split("\n")
    for name, fault in HOSTILE.items():
        cells = [
            " or ".join(f"`{one}`" if one != "answer" else one for one in row.split("|")) for row in OUTCOMES[name]
        ]
        lines.append(f"| {name} | {fault.what.replace('|', chr(92) + '|')} | {cells[0]} | {cells[1]} |")
    lines += CONNECTIONS_HEAD.split("\n")
    lines += [f"| {name} | {hostile.what} | {SHOULD[hostile.client]} |" for name, hostile in CONNECTIONS.items()]
    return lines


def main() -> None:
    """Write the report."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [HEAD, f"With {versions}, Python {sys.version.split()[0]}."]
    for title, cases in PARTS.items():
        lines += table(title, cases)
    lines += hostile_table()
    earlier = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    soak = SOAK + (earlier.partition(SOAK)[2] or "\n")
    REPORT.write_text("\n".join([*lines, "", soak]).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
