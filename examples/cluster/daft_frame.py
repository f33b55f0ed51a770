"""Send each row of a Daft frame to the model, on one machine or, with `--ray`, on a Ray cluster.

    pip install '.[daft]'
    python -m examples.cluster.daft_frame [answers.jsonl] [--ray]

The output is on the disk after each answer; the same command continues an interrupted run. With OPENROUTER_API_KEY in
the environment this calls OpenRouter.
"""

import sys
import tempfile
from pathlib import Path

import daft

from examples.cluster.service import service
from langchain_kimi import ChatKimi, bulk


def build() -> ChatKimi:
    """Return the model. Each worker calls this once, with the key of its own environment."""
    return ChatKimi(max_tokens=200)


def main(path: Path) -> None:
    """Process the rows."""
    if "--ray" in sys.argv:
        daft.set_runner_ray()
    frame = daft.from_pydict({"id": list(range(200)), "text": [f"What is {n} + 1?" for n in range(200)]})
    with bulk.Shared(path, max_cost=1, max_concurrency=16) as shared:
        answer = daft.cls(bulk.AskRows, max_concurrency=64)(build, shared.address())
        frame = frame.with_column("result", answer(frame["text"]))
        answers = frame.select("id", frame["result"]["text"].alias("answer")).collect()
    print(f"{shared.summary()}\n{answers.count_rows()} answers are in {path}.")


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:] if argument != "--ray"]
    output = paths[0] if paths else Path(tempfile.mkdtemp()) / "answers.jsonl"
    with service():
        main(output)
