"""A coding agent: it finds the bug in a small project, corrects it, and runs the tests, over an MCP file server.

    pip install ".[middleware]" langchain-mcp-adapters
    python -m examples.agents.coding [--official] [FOLDER]

Without a folder it works on a copy of a broken project in a temporary folder. The file server is `files_server.py`, or
with `--official` the one of the MCP project, `npx @modelcontextprotocol/server-filesystem`, which needs Node. With
OPENROUTER_API_KEY in the environment this costs some cents. Without the key an emulator plays a script.

The tests of the folder are run on this machine as you, with no sandbox: give it only projects that you trust.
"""

import argparse
import asyncio
import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import BaseTool, tool
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from langgraph.checkpoint.memory import InMemorySaver

from examples.agents import scripts
from examples.agents.kimi import kimi, show, show_price
from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import track_costs
from langchain_kimi.middleware import CostLimit, KeepCacheWarm, KimiToolSearch, LoopGuard, RepairInvalidCalls

PROJECT = {
    "slugs.py": '''"""Names for web addresses."""


def slug(title: str) -> str:
    """Return a title as a part of an address: lower case, with single dashes between the words."""
    return title.lower().replace(" ", "-")
''',
    "test_slugs.py": """import unittest

from slugs import slug


class TestSlug(unittest.TestCase):
    def test_words_are_joined(self):
        self.assertEqual(slug("Tide Table"), "tide-table")

    def test_spaces_around_and_between_words_are_one_dash(self):
        self.assertEqual(slug("  Low   Water "), "low-water")
""",
}
RULES = """You correct bugs in small Python projects. Look at the files, run the tests, make the smallest change that is
right, and run the tests again. Do not change the tests. Then say in two sentences what was wrong. The project is in
{}"""
LONGEST_OUTPUT = 4_000
SECONDS = 60


def server(folder: Path, *, official: bool) -> Any:
    """Return how to start the file server. OFFICIAL_FILE_SERVER replaces the command of the official one."""
    if not official:
        return {
            "transport": "stdio",
            "command": sys.executable,
            "args": ["-m", "examples.agents.files_server", str(folder)],
        }
    command = os.environ.get("OFFICIAL_FILE_SERVER", "npx -y @modelcontextprotocol/server-filesystem")
    program, *arguments = shlex.split(command)
    return {"transport": "stdio", "command": program, "args": [*arguments, str(folder)]}


def test_runner(folder: Path) -> BaseTool:
    """Return a tool that runs the tests of a folder. It has no arguments."""

    @tool
    async def run_tests() -> str:
        """Run the tests of the project, and return the end of their output."""
        command = [sys.executable, "-B", "-m", "unittest"]
        runs = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            output, _ = await asyncio.wait_for(runs.communicate(), SECONDS)
        except TimeoutError:
            runs.kill()
            await runs.wait()
            return f"The tests did not end within {SECONDS} seconds."
        return output.decode(errors="replace")[-LONGEST_OUTPUT:]

    return run_tests


def build(model: ChatKimi, tools: list[BaseTool], folder: Path) -> Any:
    """Return the agent. The search hides tools only if there are many, for example from further servers."""
    middleware: list[Any] = [
        RepairInvalidCalls(),
        LoopGuard(on_loop="nudge"),
        KeepCacheWarm(),
        KimiToolSearch(),
        CostLimit(0.50),
    ]
    return create_agent(
        model, tools, system_prompt=RULES.format(folder), middleware=middleware, checkpointer=InMemorySaver()
    )


async def work(model: ChatKimi, folder: Path, *, official: bool) -> None:
    """Let the agent correct the project."""
    client = MultiServerMCPClient({"files": server(folder, official=official)})
    # One session for the whole run: without it, each call starts a server.
    async with client.session("files") as session:
        tools = [*await load_mcp_tools(session), test_runner(folder)]
        print(f"Tools: {', '.join(tool.name for tool in tools)}")
        task = {"messages": [("human", "The tests of this project fail. Please correct it.")]}
        config: Any = {"configurable": {"thread_id": "coding-1"}}
        async for update in build(model, tools, folder).astream(task, config, stream_mode="updates"):
            for change in update.values():
                for message in (change or {}).get("messages") or []:
                    show(message)


def main() -> None:
    """Correct a project, and print the steps of the agent and its cost."""
    parser = argparse.ArgumentParser(description="Correct the bug in a small project.")
    parser.add_argument(
        "folder", nargs="?", type=Path, help="the project (default: a broken one in a temporary folder)"
    )
    parser.add_argument("--official", action="store_true", help="use the file server of the MCP project, with Node")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        if not options.folder:
            for name, content in PROJECT.items():
                (folder / name).write_text(content, encoding="utf-8")
        with kimi(scripts.coding(folder), max_tokens=4_000) as model, track_costs() as costs:
            asyncio.run(work(model, folder, official=options.official))
        if not options.folder:
            print(f"\nslugs.py is now:\n\n{(folder / 'slugs.py').read_text(encoding='utf-8')}")
    show_price(costs)


if __name__ == "__main__":
    main()
