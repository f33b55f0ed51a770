import json
from dataclasses import replace
from typing import Any

import pytest

from langchain_kimi import ChatKimi, KimiUsageError
from langchain_kimi._openrouter.host import MOONSHOT, OPENROUTER
from langchain_kimi.batch import BatchLimitError
from langchain_kimi.batch.bodies import (
    RowRequest,
    check_size,
    custom_id,
    line_of,
    model_of,
    priced_slug,
    provider_of,
    row_request,
    submission,
)
from langchain_kimi.batch.program import program_of
from tests.batch.driving import KEY
from tests.rows import each_row

PICTURE = "https://example.com/a.png"


def request(runnable: Any, value: Any = "Hello") -> RowRequest:
    program = program_of(runnable)
    return row_request(program, program.messages_of(value), 0)


def kimi(**settings: Any) -> ChatKimi:
    return ChatKimi(api_key=KEY, **settings)


def test_the_fields_of_a_batch_come_before_its_requests() -> None:
    rows = [request(kimi(provider={"only": ["novita"], "require_parameters": True})) for _ in range(2)]

    body = json.loads(submission(OPENROUTER, "k", rows, "24h").content)

    assert list(body) == ["endpoint", "model", "provider", "completion_window", "requests"]
    assert body["provider"] == {"only": ["novita"]}
    assert [row["custom_id"] for row in body["requests"]] == ["k-0", "k-1"]
    assert body["requests"][0]["body"] == {"messages": [{"role": "user", "content": "Hello"}]}


def test_a_file_has_a_line_for_each_row() -> None:
    model = kimi(host="moonshot", model="moonshotai/kimi-k2.6")

    content = submission(MOONSHOT, "k", [request(model), request(model, "Bye")], "3d").content

    first, second = (json.loads(line) for line in content.splitlines())
    assert (first["custom_id"], first["method"], first["url"]) == ("k-0", "POST", "/v1/chat/completions")
    assert (first["body"]["model"], second["body"]["messages"][0]["content"]) == ("kimi-k2.6", "Bye")


def test_rows_are_sent_as_calls_send_them() -> None:
    bound = kimi(temperature=0.5, sticky_provider=True, auto_session=True).bind(max_tokens=7, stop=["x"])
    body = bound.request_body("Hello")

    sent = json.loads(request(bound).content)

    assert sent == {name: value for name, value in body.items() if name not in {"model", "session_id"}}


IMAGE: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
AUDIO: Any = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
REFUSED: dict[str, tuple[Any, Any]] = {
    "a fallback": (kimi(models=["moonshotai/kimi-k3"]), "Hello"),
    "an image in the request": (kimi(model="moonshotai/kimi-k2.6"), [("user", [{"type": "text", "text": "a"}, IMAGE])]),
    "audio": (kimi(model="nobody/hears-audio"), [("user", [AUDIO])]),
}


@each_row("model, value", REFUSED.values(), ids=REFUSED)
def test_rows_that_would_fail_a_batch_later_are_refused_first(model: ChatKimi, value: Any) -> None:
    with pytest.raises(KimiUsageError, match="Nothing was sent"):
        request(model, value)


def test_images_by_their_url_are_sent() -> None:
    part: Any = {"type": "image_url", "image_url": {"url": PICTURE}}

    assert PICTURE in request(kimi(model="moonshotai/kimi-k2.6"), [("user", [part, "text"])]).content.decode()


@pytest.mark.parametrize("name", ["zdr", "data_collection", "order", "max_price"])
def test_preferences_that_a_batch_would_ignore_are_refused(name: str) -> None:
    with pytest.raises(KimiUsageError, match=name):
        provider_of({"provider": {name: True, "only": ["novita"]}})


def test_absent_preferences_are_not_sent() -> None:
    assert provider_of({}) == {}
    assert provider_of({"provider": {"zdr": None, "allow_fallbacks": False}}) == {"allow_fallbacks": False}


def test_the_model_has_its_name_at_the_server() -> None:
    assert model_of({"model": "moonshotai/kimi-k3:batch"}, OPENROUTER) == "moonshotai/kimi-k3"
    assert model_of({"model": "moonshotai/kimi-k2.6"}, MOONSHOT) == "kimi-k2.6"
    assert priced_slug({"model": "a/b"}) == priced_slug({"model": "a/b:batch"}) == "a/b:batch"


def test_sizes_are_checked() -> None:
    rows = [request(kimi())] * 3
    assert custom_id("k", 3) == "k-3"
    with pytest.raises(BatchLimitError) as raised:
        submission(replace(OPENROUTER, batch_rows=2), "k", rows, "24h")
    assert (raised.value.limit, raised.value.actual, raised.value.unit) == (2, 3, "rows")
    with pytest.raises(BatchLimitError, match="bytes"):
        submission(replace(OPENROUTER, batch_bytes=100), "k", rows, "24h")
    with pytest.raises(KimiUsageError, match="at least one row"):
        submission(OPENROUTER, "k", [], "24h")
    check_size(replace(OPENROUTER, batch_rows=0, batch_bytes=0), 10**9, 10**12)
    assert json.loads(line_of(OPENROUTER, "k", 0, rows[0]))["custom_id"] == "k-0"
