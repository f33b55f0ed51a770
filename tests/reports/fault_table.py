"""Play every failure in each of the four ways and write down what happened: `docs/faults.md`.

Each cell is a real call over loopback: nothing in the table is typed by hand. What stands below the marker in the
report comes from `scripts/soak.py` and is left as it is.
"""

import re
import sys
from importlib.metadata import version
from pathlib import Path

from langchain_kimi.errors import KimiError
from tests.faults import replies, statuses, streams, transfers
from tests.faults.cases import Case, Played, partial_of, play
from tests.faults.ways import WAYS

REPORT = Path(__file__).parents[2] / "docs" / "faults.md"
SOAK = "<!-- soak -->"
GENERATION = re.compile(r"gen-\d+-\w*")
LONGEST = 70
"""Characters of a reason that are shown."""
PARTS = {
    "An HTTP status of failure": statuses.CASES,
    "A failure inside a reply that began well": replies.CASES,
    "The bytes themselves": streams.CASES,
    "The transfer": transfers.CASES,
}
PACKAGES = ("langchain-core", "httpx", "httpcore", "pydantic")
HEAD = """# What happens when something goes wrong

Written by `make faults`: every cell is a call of `ChatKimi` over loopback, as `tests/faults` asserts it in every run of
the tests. Waits that nobody asked for are left out; `max_retries` is 2, as it is by default.

*Asked* is how often the server was asked, *kept* what the error holds of the answer: text (in characters), calls (all
of them invalid), usage, the generation's id. A stream is never asked again after something of it was shown.
"""


def happened(case: Case, way: str) -> str:
    """Say in a few words what came of a case."""
    played = play(case, way)
    error = played.outcome.error
    asked = f"asked {played.requests} times" if played.requests > 1 else "asked once"
    if error is None:
        return f"{_answer(played)}; {asked}"
    if not isinstance(error, KimiError):
        return f"**`{type(error).__name__}`**; {asked}"
    facts = [f"`{type(error).__name__}`", str(error.status or ""), error.provider or ""]
    return f"{' '.join(filter(None, facts))}; {asked}{_kept(error)}"


def _answer(played: Played) -> str:
    message = played.outcome.message
    if message is None:
        return "nothing"
    said = [f"{len(message.text)} characters"] if message.text else []
    said += [f"calls: {len(message.tool_calls)}"] if message.tool_calls else []
    said += [f"invalid calls: {len(message.invalid_tool_calls)}"] if message.invalid_tool_calls else []
    return "answer: " + ", ".join(said)


def _kept(error: KimiError) -> str:
    partial = partial_of(error)
    kept = [f"{len(partial.text)} characters"] if partial.text else []
    kept += [f"calls: {len(partial.invalid_tool_calls)}"] if partial.invalid_tool_calls else []
    kept += ["usage"] if error.usage else []
    kept += ["id"] if error.generation_id else []
    return f"; kept {', '.join(kept)}" if kept else ""


def reason(case: Case) -> str:
    """What the error of an unstreamed call leads with, without what differs from run to run."""
    error = play(case, "invoke").outcome.error
    if not isinstance(error, KimiError):
        return ""
    text = GENERATION.sub("gen-…", " ".join(error.reason.split()))
    return text[:LONGEST].replace("|", r"\|") + ("…" if len(text) > LONGEST else "")


def table(title: str, cases: tuple[Case, ...]) -> list[str]:
    """Play some cases; gives the lines of their table, where a cell that equals one before it says so."""
    ways = [f"`{way}`" for way in WAYS]
    lines = ["", f"## {title}", "", "| what goes wrong | the error says | " + " | ".join(ways) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(WAYS))
    for case in cases:
        cells = [happened(case, way) for way in WAYS]
        shown = [cell if (first := cells.index(cell)) == at else f"as {ways[first]}" for at, cell in enumerate(cells)]
        lines.append(f"| {case.what} | {reason(case)} | " + " | ".join(shown) + " |")
        print(lines[-1])
    return lines


def main() -> None:
    """Write the report."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [HEAD, f"With {versions}, Python {sys.version.split()[0]}."]
    for title, cases in PARTS.items():
        lines += table(title, cases)
    earlier = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    soak = SOAK + (earlier.partition(SOAK)[2] or "\n")
    REPORT.write_text("\n".join([*lines, "", soak]).rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
