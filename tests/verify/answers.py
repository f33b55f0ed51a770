"""Cases and stored results for the tests of the verifier."""

from typing import Any

from langchain_kimi.verify import Case

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "trip",
        "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALLING = Case([{"role": "user", "content": "What is the weather in Oslo?"}], [WEATHER], call=True, name="calling")
TALKING = Case([{"role": "user", "content": "Say hello."}], [WEATHER], call=False, name="talking")
PLANNING = Case([{"role": "user", "content": "Plan."}], parameters={"response_format": FORM}, name="planning")


def answer(**changes: Any) -> dict[str, Any]:
    good = {"called": True, "valid": True, "structured": None, "leaked": False, "empty": False, "finish_fits": True}
    return {**good, **changes}


def row(
    tag: str, case: str = "a", *, call: bool | None = True, cost: float | None = 0.01, **changes: Any
) -> dict[str, Any]:
    judged = answer(**changes)
    times = {"first_token": 1.0, "seconds": 2.0, "tokens": [10, 20]}
    return {"tag": tag, "case": case, "call": call, "before": judged, "after": judged, "cost": cost, **times}


def failed(tag: str) -> dict[str, Any]:
    return {"tag": tag, "case": "a", "call": True, "error": "KimiServerError", "message": "down"}
