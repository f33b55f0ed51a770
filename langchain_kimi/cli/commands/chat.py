"""A small chat in the terminal, for trying a key."""

import argparse
import sys
from collections.abc import Iterator

from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage

from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.cli.codes import SUCCESS
from langchain_kimi.cli.facts import model_argument, model_of
from langchain_kimi.cli.output import Output

HELP = "a small streaming chat that shows the cost of each turn; an empty line or /quit ends it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    model_argument(parser)


def run(options: argparse.Namespace, out: Output) -> int:
    """Read prompts from stdin, and print the answers while they arrive."""
    model = model_of(options)
    history: list[BaseMessage] = []
    turns = []
    for prompt in _prompts(out):
        history.append(HumanMessage(prompt))
        answer = _answer(model, history, out)
        history.append(answer)
        turns.append({"prompt": prompt, "answer": answer.text, "cost": answer.response_metadata.get("cost")})
    out.json(turns)
    return SUCCESS


def _prompts(out: Output) -> Iterator[str]:
    while True:
        out.part("> ")
        line = sys.stdin.readline().strip()
        if line in {"", "/quit"}:
            return
        if line.startswith("/"):
            out.line("There are no commands except /quit, and no tools.")
        else:
            yield line


def _answer(model: ChatKimi, history: list[BaseMessage], out: Output) -> AIMessageChunk:
    answer = AIMessageChunk(content="")
    for chunk in model.stream(history):
        out.part(chunk.text)
        answer += chunk
    metadata = answer.response_metadata
    cost = metadata.get("cost")
    paid = "cost unknown" if cost is None else f"{cost:.6f} USD"
    out.line(f"\n[{metadata.get('provider')}, {paid}]", style="dim")
    return answer
