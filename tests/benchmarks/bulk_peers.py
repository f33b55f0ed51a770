"""The bulk runners of others, each in an environment of its own: `PYTHON bulk_peers.py JOB ROWS URL OUT`.

Needs Daft (`pip install 'daft[openai]'`) or curator (`pip install bespokelabs-curator`), and nothing of this project. A
job prints its measurements as a JSON object.
"""

import importlib
import importlib.util
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONCURRENCY = 64


def run_daft(rows: int, url: str, out: str) -> int:
    """Run `daft.functions.prompt` with its provider for OpenAI, and write Parquet."""
    daft = importlib.import_module("daft")
    functions = importlib.import_module("daft.functions")
    providers = importlib.import_module("daft.ai.openai.provider")
    provider = providers.OpenAIProvider(name="Loopback", base_url=url, api_key="k")
    frame = daft.from_pydict({"text": [f"question {n}" for n in range(rows)]}).into_batches(1_000)
    answer = functions.prompt(
        frame["text"], provider=provider, model="m", use_chat_completions=True, max_tokens=10, max_retries=0
    )
    answers = frame.with_column("answer", answer).write_parquet(out)
    files = answers.to_pydict()["path"]
    return int(daft.read_parquet(files).where(daft.col("answer") == "fine").count_rows())


def run_curator(rows: int, url: str, out: str) -> int:
    """Run curator's `LLM` with its backend for OpenAI, which writes files of JSON lines and Arrow."""
    curator = importlib.import_module("bespokelabs.curator")
    os.environ["CURATOR_CACHE_DIR"] = out
    limits = {
        "max_concurrent_requests": CONCURRENCY, "max_requests_per_minute": 10_000_000,
        "max_tokens_per_minute": 10**12, "base_url": url, "require_all_responses": True, "max_retries": 1,
    }  # fmt: skip
    model = curator.LLM(
        model_name="gpt-4o-mini", backend="openai", backend_params=limits, generation_params={"max_tokens": 10}
    )
    answers: Any = model([f"question {n}" for n in range(rows)])
    return sum(row["response"] == "fine" for row in getattr(answers, "dataset", answers))


def prepare(job: str) -> None:
    """Import what a job needs, which is not measured, and let nothing be downloaded."""
    os.environ |= {
        "OPENAI_API_KEY": "k", "TELEMETRY_ENABLED": "0", "CURATOR_VIEWER": "0", "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1", "DAFT_ANALYTICS_ENABLED": "0",
    }  # fmt: skip
    if litellm := importlib.util.find_spec("litellm"):
        # It has the file that tiktoken would download.
        os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(str(litellm.origin)).parent / "litellm_core_utils" / "tokenizers")
    for name in MODULES[job]:
        importlib.import_module(name)


MODULES = {"daft": ("daft", "daft.functions", "daft.ai.openai.provider"), "curator": ("bespokelabs.curator",)}
JOBS: dict[str, Callable[[int, str, str], int]] = {"daft": run_daft, "curator": run_curator}


def main(job: str, rows: str, url: str, out: str) -> None:
    """Run a job, and print its measurements."""
    Path(out).mkdir(parents=True)
    prepare(job)
    started, before = time.monotonic(), cpu()
    answered = JOBS[job](int(rows), url, out)
    outcome = {"answered": answered, "cpu": cpu() - before, "seconds": time.monotonic() - started}
    outcome["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"\n{json.dumps(outcome)}\n")


def cpu() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main(*sys.argv[1:])
