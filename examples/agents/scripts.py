"""The scripts that the emulator plays without a key. Nothing of this is needed in your own program.

A script has the replies to the requests that contain a text; every text of a reply begins with "[emulated]".
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from langchain_kimi.testing import Reply, ServerToolCall, ToolCall

Script = Mapping[str, Sequence[Reply]]
ALL = ""
"""The key of replies to all requests."""
MARK = "[emulated]"


def says(text: str, **more: Any) -> Reply:
    """Return a reply with a text."""
    return Reply(f"{MARK} {text}", **more)


def calls(*wanted: tuple[str, dict[str, Any]]) -> Reply:
    """Return a reply with tool calls."""
    return Reply(tool_calls=[ToolCall(name, arguments) for name, arguments in wanted])


def _finding(topic: str, sentence: str) -> Reply:
    """Return the reply of a researcher that cites a page."""
    url = f"https://example.com/{topic}"
    source: dict[str, Any] = {"url": url, "title": f"A made-up page about {topic}", "content": "Made-up text."}
    source |= {"start_index": len(MARK) + 1, "end_index": len(MARK) + 1 + len(sentence)}
    return says(
        f"{sentence} ({url})",
        citations=[{"type": "url_citation", "url_citation": source}],
        server_tools=[
            ServerToolCall("openrouter:web_search", {"query": topic}),
            ServerToolCall("openrouter:web_fetch", {"url": url}, "Made-up text."),
        ],
    )


def deep_research() -> Script:
    """Return a plan, two researchers at the same time, a report, a critic, a correction and the end."""
    draft = f"# Report\n\n{MARK} A made-up finding about costs and one about wear.\n"
    todos = [{"content": "Research costs and wear", "status": "in_progress"}]
    report = {"file_path": "/report.md"}
    tasks = [
        {"description": "Find out about COSTS.", "subagent_type": "researcher"},
        {"description": "Find out about WEAR.", "subagent_type": "researcher"},
    ]
    critique = {"description": "CHECK the report in /report.md.", "subagent_type": "critic"}
    edit = {"old_string": "one about wear.", "new_string": "one about wear. (https://example.com/wear)"}
    return {
        "Find out about COSTS": [_finding("costs", "A made-up finding about costs.")],
        "Find out about WEAR": [_finding("wear", "A made-up finding about wear.")],
        "CHECK the report": [
            calls(("read_file", report)),
            says("The finding about wear has no source."),
        ],
        ALL: [
            calls(("write_todos", {"todos": todos})),
            calls(*[("task", task) for task in tasks]),
            calls(("write_file", {**report, "content": draft})),
            calls(("task", critique)),
            calls(("edit_file", {**report, **edit})),
            says("The report is in /report.md."),
        ],
    }


def coding(folder: Path) -> Script:
    """Return a look at a folder and its files, a test run, a change, another test run and the end."""
    old = 'return title.lower().replace(" ", "-")'
    edit = {"oldText": old, "newText": 'return "-".join(title.lower().split())'}
    code, tests = str(folder / "slugs.py"), str(folder / "test_slugs.py")
    return {
        ALL: [
            calls(("list_directory", {"path": str(folder)})),
            calls(("read_text_file", {"path": code}), ("read_text_file", {"path": tests})),
            calls(("run_tests", {})),
            calls(("edit_file", {"path": code, "edits": [edit]})),
            calls(("run_tests", {})),
            says("Each space became a dash, also at the ends. The words are joined now."),
        ]
    }


def supervisor() -> Script:
    """Return a supervisor that asks an analyst and then a writer, and both of them."""
    sql = "SELECT harbor, SUM(boats) AS boats FROM visits GROUP BY harbor ORDER BY boats DESC"
    return {
        ALL: [
            calls(("Step", {"next": "analyst", "task": f"{MARK} Which harbor had the most boats?"})),
            calls(("query", {"sql": sql})),
            says("Skagen had the most boats, 640."),
            calls(("Step", {"next": "writer", "task": f"{MARK} Write one sentence about Skagen's 640 boats."})),
            says("Skagen welcomed 640 boats, more than any other harbor."),
            calls(("Step", {"next": "end", "task": ""})),
        ]
    }


def approval() -> Script:
    """Return a look at an order, a refund that needs an approval, and the end."""
    return {
        ALL: [
            calls(("find_order", {"number": "A-17"})),
            calls(("refund", {"number": "A-17", "dollars": 40.0})),
            says("I have refunded 40 dollars for the broken lamp."),
        ]
    }


def rag() -> Script:
    """Return an answer with a wrong quote, and the corrected one."""
    wrong = "Boats may stay for two nights."
    right = "A visiting boat may stay for seven nights."
    electricity = "Electricity costs 0.40 euros for each kilowatt hour."
    claims = [
        {"text": f"{MARK} You may stay a week.", "source": "berths.md", "quote": wrong},
        {"text": "Electricity is paid by the kilowatt hour.", "source": "prices.md", "quote": electricity},
    ]
    corrected = [{**claims[0], "quote": right}, claims[1]]
    return {ALL: [calls(("Answer", {"claims": claims})), calls(("Answer", {"claims": corrected}))]}
