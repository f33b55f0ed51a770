"""Beside OpenInference, Traceloop and Langfuse, where they are installed (`make test-observability`)."""

import importlib.util
import json
import subprocess
import sys

import pytest

from tests.chat.asking import WAYS

PACKAGES = {
    "openinference": "openinference",
    "traceloop": "opentelemetry.instrumentation",
    "langfuse": "langfuse",
}
USAGE = "langfuse.observation.usage_details"
COUNTS = {
    "openinference": ("llm.token_count.prompt", "llm.token_count.completion"),
    "traceloop": ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
}


@pytest.mark.parametrize("kind", PACKAGES)
def test_the_span_of_a_call_has_its_cost_and_tokens_once(kind: str) -> None:
    if importlib.util.find_spec(PACKAGES[kind]) is None:
        pytest.skip(f"{kind} is not installed")
    run = subprocess.run(
        [sys.executable, "-m", "tests.observability.beside", kind], capture_output=True, check=False, text=True
    )
    assert run.returncode == 0, run.stderr
    ways = json.loads(run.stdout)
    assert [*ways] == [*WAYS]
    for result in ways.values():
        reply, usage, spans = result["reply"], result["usage"], result["spans"]
        assert len(spans) > 1
        [own] = [attributes for attributes in spans if "kimi.cost" in attributes]
        assert own["kimi.cost"] == reply["cost"]
        assert own["gen_ai.response.id"] == reply["id"]
        counts = usage["input_tokens"], usage["output_tokens"]
        if kind == "langfuse":
            assert json.loads(own["langfuse.observation.cost_details"]) == {"total": reply["cost"]}
            assert [json.loads(one[USAGE])["total"] for one in spans if USAGE in one] == [sum(counts)]
        else:
            assert tuple(sum(one.get(name, 0) for one in spans) for name in COUNTS[kind]) == counts
            assert own.get("llm.cost.total") == (reply["cost"] if kind == "openinference" else None)
