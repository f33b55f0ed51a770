"""Tests that the emulator's JSON has only shapes that recorded replies of the real service have."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Behavior, Emulator, Fault, Reply, ToolCall, faults
from tests.plain_http import NO_TLS
from tests.recordings.exchanges import ABSENT, FOLDER
from tests.testing.chat import DONE, data, post
from tests.testing.shapes import Shapes, shapes_of

# Fields that are in no recording, with their source.
UNRECORDED = {
    ".error.error_type": "documented in August 2026, beside `availability`",
    ".error.http_status": "the same",
    ".error.availability": "the same",
    ".error.metadata.error_type": "documented for failures of hosts and for errors in streams",
    ".error.metadata.reasons": "documented for moderation",
    ".error.metadata.flagged_input": "documented for moderation",
    ".error.metadata.model_slug": "documented for moderation",
    ".choices[].error": "recorded in plain replies; the same in a stream by report",
    ".choices[].logprobs.content[].top_logprobs[]": "recorded in plain replies; in a stream by the recordings' summary",
    ".error.metadata.provider_name": "recorded in plain errors; in a stream by the recordings' summary",
    ".user_id": "the same",
    ".provider.error": "reported for failures that the router wrote into the name of the host",
}
ODD = {(".provider", "object"), (".choices", "null"), (".id", "null"), (".model", "null")}
"""Types of fields in errors, from reports."""


def kinds_of(status: int, body: str) -> tuple[str, list[Any]]:
    """Return the kind of a reply (stream, plain body or error) and its JSON values."""
    if body.lstrip().startswith(("data:", ":")):
        return "stream", [json.loads(event) for event in data(body.replace("\r\n", "\n")) if event != DONE]
    return ("plain" if status == 200 else "error"), [json.loads(body)]


def recorded() -> Iterator[tuple[str, list[Any]]]:
    for folder in sorted(FOLDER.iterdir()):
        if not json.loads((folder / "meta.json").read_text())["is_openrouter"]:
            continue
        status = json.loads((folder / "response.json").read_text())["status"]
        body = (folder / "response.body").read_text()
        if body.lstrip()[:1] in ("{", ":", "d"):
            yield kinds_of(status, body)


@pytest.fixture(scope="module")
def seen() -> dict[str, Shapes]:
    if not FOLDER.is_dir():
        pytest.skip(ABSENT)
    seen: dict[str, Shapes] = {"stream": set(), "plain": set(), "error": set()}
    for kind, values in recorded():
        seen[kind] |= shapes_of(values)
    return seen


def unrecorded(shapes: Shapes, seen: Shapes) -> Shapes:
    return {
        (path, kind) for path, kind in shapes - seen - ODD if not any(path.startswith(prefix) for prefix in UNRECORDED)
    }


CALLS = [ToolCall("weather", {"city": "Oslo"}), ToolCall("now")]
EVERYTHING = Reply(text="Sure", reasoning="Hm", tool_calls=CALLS)
HABITS = [
    Behavior(),
    Behavior(usage_era="A", system_fingerprint=None, call_ids="call"),
    Behavior(usage_era="B", call_ids="hex", arguments="whole", trailing_arguments=" "),
    Behavior(continuation="null_id_and_name", all_index_zero=True, reasoning=True),
    Behavior(continuation="empty_id_and_type", opening_arguments=False, omits_empty_arguments=True),
    Behavior(continuation="typed", call_ids="repeated", canonical_model=False),
    Behavior(continuation="repeated", delta_tokens=5),
    Behavior(continuation="empty_name", comments=False),
]
FAULTS = [
    faults.context_overflow(),
    faults.provider_refused({"error": "no"}),
    faults.unauthorized(),
    faults.out_of_credits(),
    faults.key_limit_exceeded(),
    faults.moderated(),
    faults.no_endpoints(),
    faults.no_capacity(),
    faults.rate_limited(1),
    faults.free_rate_limited(),
    faults.free_daily_cap(),
    faults.internal_error(),
    faults.unavailable(),
    faults.error_in_reply(),
    faults.error_in_reply(nulls=True),
    faults.choices_null(),
    faults.choices_empty(),
    faults.error_in_choice(),
    faults.error_in_provider(),
    faults.stream_error(),
    faults.stream_error("first", choices=False),
    faults.stream_error("after_finish", done=True),
    faults.null_choices_event(),
    faults.empty_answer(),
    faults.no_finish_reason(),
    faults.leaked_markup(),
    faults.tool_arguments_cut(),
]
BOTH = pytest.mark.parametrize("stream", [False, True])


@pytest.mark.uncovered
@BOTH
@pytest.mark.parametrize("behavior", HABITS)
@pytest.mark.parametrize("more", [{}, {"logprobs": True, "top_logprobs": 2}])
def test_replies_have_recorded_shapes(
    seen: dict[str, Shapes], behavior: Behavior, more: dict[str, Any], *, stream: bool
) -> None:
    with Emulator(behavior=behavior) as openrouter:
        for reply in (EVERYTHING, None):
            if reply:
                openrouter.script(reply)
            kind, shapes = shapes_of_reply(openrouter, stream=stream, **more)
            assert kind == ("stream" if stream else "plain")
            assert not unrecorded(shapes, seen[kind])


@pytest.mark.uncovered
@BOTH
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults_have_recorded_shapes(seen: dict[str, Shapes], fault: Fault, *, stream: bool) -> None:
    with Emulator() as openrouter:
        openrouter.fail_next(fault.on(EVERYTHING))
        kind, shapes = shapes_of_reply(openrouter, stream=stream)
    assert not unrecorded(shapes, seen[kind])


@pytest.mark.parametrize("more", [{"temperature": 5}, {"model": "odd"}, {"tools": []}, {"messages": []}])
def test_rejections_have_recorded_shapes(seen: dict[str, Shapes], more: dict[str, Any]) -> None:
    with Emulator() as openrouter:
        kind, shapes = shapes_of_reply(openrouter, **more)
    assert kind == "error"
    assert not unrecorded(shapes, seen[kind])


def shapes_of_reply(openrouter: Emulator, **more: Any) -> tuple[str, Shapes]:
    headers = {"authorization": "Bearer any"}
    with httpx.Client(base_url=openrouter.base_url, headers=headers, verify=NO_TLS) as client:
        response = post(client, **more)
    kind, values = kinds_of(response.status_code, response.text)
    return kind, shapes_of(values)


def test_an_unknown_shape_is_reported() -> None:
    recorded_shapes = shapes_of([{"a": [1, None]}])
    assert unrecorded(shapes_of([{"a": [1.5]}]), recorded_shapes) == set()
    assert unrecorded(shapes_of([{"a": "1", "b": 1}]), recorded_shapes) == {(".a", "string"), (".b", "number")}
    assert unrecorded({(".error.availability.code", "string"), (".id", "null")}, recorded_shapes) == set()
