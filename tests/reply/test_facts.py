from typing import Any, cast

from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply.facts import normalized_finish_reason, with_cache_status
from tests.rows import each_row

CALLS = [{"id": "f:0", "function": {"name": "f", "arguments": "{}"}}]


@each_row(
    "reason, message, normalized",
    [
        ("stop", {}, "stop"),
        ("STOP", None, "stop"),
        ("<|im_end|>", {}, "stop"),
        ("stop", {"tool_calls": CALLS}, "tool_call"),
        ("eos", {"tool_calls": CALLS}, "tool_call"),
        ("tool_calls", {}, "tool_call"),
        ("stop", {"refusal": "No."}, "refusal"),
        ("refusal", {}, "refusal"),
        ("length", {"tool_calls": CALLS}, "length"),
        ("max_tokens", {}, "length"),
        ("maxTokens", {}, "length"),
        ("LENGTH_LIMIT", {}, "length"),
        ("toolUse", {}, "tool_call"),
        ("end_turn", {}, "stop"),
        ("content_filter", {}, "content_filter"),
        ("safety", {}, "content_filter"),
        ("error", {}, "error"),
        ("brand_new", {}, None),
        (None, {"refusal": "No."}, None),
        (7, {}, None),
    ],
)
def test_finish_reasons_have_langchains_words(reason: Any, message: Any, normalized: str | None) -> None:
    choice: Any = {"finish_reason": reason, "message": message}
    assert normalized_finish_reason(choice) == normalized


@each_row(
    "headers, cache",
    [
        ({}, None),
        ({"x-openrouter-cache-age": "3"}, None),
        ({"x-openrouter-cache-status": "MISS"}, {"status": "MISS"}),
        (
            {
                "x-openrouter-cache-status": "HIT",
                "x-openrouter-cache-age": "3",
                "x-openrouter-cache-ttl": "soon",
                "x-openrouter-cache-source-id": "gen-1",
            },
            {"status": "HIT", "age": 3, "ttl": "soon", "source_id": "gen-1"},
        ),
    ],
)
def test_a_reply_has_the_status_of_the_response_cache(headers: dict[str, str], cache: Any) -> None:
    reply = cast("Any", {"id": "gen-2"})
    expected = {"id": "gen-2"} | ({"response_cache": cache} if cache else {})
    assert with_cache_status(reply, ResponseHead(200, headers, 0.0)) == expected
