"""Failures inside a reply with status 200."""

from typing import Any

from langchain_kimi.errors import (
    KimiEmptyReplyError,
    KimiIncompleteStreamError,
    KimiInvalidRequestError,
    KimiMalformedReplyError,
    KimiRateLimitError,
    KimiServerError,
)
from langchain_kimi.testing import Reply, ToolCall, faults
from langchain_kimi.testing.responses import dump
from tests.faults.cases import (
    AGAIN,
    ANSWER,
    CALLS,
    HALF,
    PROVIDER,
    TEXT,
    Answered,
    Case,
    Failed,
    chunk,
    stream_of,
    two,
    whole,
)

PARIS, ROME = {"city": "Paris"}, {"city": "Rome"}
BOTH = Reply(tool_calls=[ToolCall("get_weather", PARIS), ToolCall("get_weather", ROME)])
THOUGHT = Reply(reasoning="I should look.", tool_calls=[ToolCall("get_weather", PARIS)])
CUT: dict[str, Any] = {"text": "Let me look.", "invalid": 1}
DAILY = "Rate limit exceeded: free-models-per-day."
CAP = {"code": 429, "message": DAILY, "metadata": {"limit_source": "openrouter_free_tier_daily"}}
TOO_LONG: dict[str, Any] = {"code": 400, "message": "The answer was longer than the limit of 16 tokens."}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cost": 0.5, "is_byok": False}
ODD_USAGE = {"prompt_tokens": -1, "completion_tokens": "3", "prompt_tokens_details": "x", "cost": "a"}
WORD = {"code": "server_error", "message": "Provider disconnected"}
NAMED = b"event: error\ndata: " + dump(WORD) + b"\n\n"
FAILING = b": OPENROUTER PROCESSING\n\n" + stream_of(chunk(HALF), {"error": WORD}, done=False)
STREAMED = stream_of(chunk(HALF), chunk(TEXT.removeprefix(HALF), "stop"), {**chunk(), "choices": [], "usage": USAGE})
WORDLESS = "The server sent an error without a message."
DEEP = b'{"a":' * 100_000


def down(leads: str = "Provider returned error", **more: Any) -> Failed:
    """Return the failure of a provider with 502."""
    facts: dict[str, Any] = {"status": 502, "code": 502, "provider": PROVIDER, "retryable": True, "generation": True}
    return Failed(kind=KimiServerError, leads=leads, advises=AGAIN, **{**facts, **more})


def malformed(leads: str, **more: Any) -> Failed:
    """Return the failure of a malformed reply."""
    facts: dict[str, Any] = {"status": 200, "retryable": True, "generation": True, "advises": AGAIN}
    return Failed(kind=KimiMalformedReplyError, leads=leads, **{**facts, **more})


GONE = "Provider disconnected unexpectedly"

ERRORS = (
    Case(what="200 with an error body", script=[faults.error_in_reply()], plain=down()),
    Case(
        what="200 with an error body beside nulls", script=[faults.error_in_reply(nulls=True)], plain=down()
    ),
    Case(
        what="an error as a stream's first event, then an answer",
        script=[faults.stream_error("first"), ANSWER],
        plain=Answered(requests=2),
    ),
    Case(
        what="an error in the middle of a stream, beside a choice (the documented shape)",
        script=[faults.stream_error().on(ANSWER)],
        plain=down(GONE),
        streamed=down(GONE, retryable=True, shown=HALF),
    ),
    Case(
        what="an error in the middle of a stream, alone",
        script=[faults.stream_error(choices=False).on(ANSWER)],
        plain=down(GONE),
        streamed=down(GONE, shown=HALF),
    ),
    Case(
        what="an error with a word as its code",
        script=[two("word", plain=dump({"error": WORD}), streamed=stream_of(chunk(HALF), {"error": WORD}, done=False))],
        plain=down("Provider disconnected", status=500, code="server_error", provider=None),
        streamed=down("Provider disconnected", status=500, code="server_error", shown=HALF),
    ),
    Case(
        what="an error that is a string",
        script=[two("text", plain=dump({"error": "It broke."}), streamed=stream_of({"error": "It broke."}))],
        plain=down("It broke.", status=500, code=None, provider=None),
    ),
    Case(
        what="finish reason `length`, then an error with usage and `[DONE]` (recorded)",
        script=[
            two(
                "length, then error",
                plain=dump({"error": TOO_LONG, "usage": USAGE}),
                streamed=stream_of(chunk(HALF), chunk("", "length"), {**chunk(), "error": TOO_LONG, "usage": USAGE}),
            )
        ],
        plain=Failed(
            kind=KimiInvalidRequestError, leads=TOO_LONG["message"], advises="`raw` describe the problem.",
            status=400, code=400, generation=True, usage=True,
        ),
        streamed=Failed(
            kind=KimiInvalidRequestError, leads=TOO_LONG["message"], advises="`raw` describe the problem.",
            status=400, code=400, generation=True, usage=True, shown=HALF, provider=PROVIDER,
        ),
    ),
    Case(
        what="an error without a message, then `[DONE]`",
        script=[two("wordless", plain=dump({"error": {}}), streamed=stream_of(chunk(HALF), {"error": {}}))],
        plain=down(WORDLESS, status=500, code=None, provider=None),
        streamed=down(WORDLESS, status=500, code=None, shown=HALF),
    ),
    Case(
        what="an error with a number as its message",
        script=[two("number", plain=dump({"error": {"message": 5}}), streamed=stream_of({"error": {"message": 5}}))],
        plain=down("5", status=500, code=None, provider=None),
    ),
    Case(
        what="an error marked only by the event's name, then `[DONE]`",
        script=[
            two("named", plain=dump({"error": WORD}), streamed=stream_of(chunk(HALF), done=False) + NAMED + stream_of())
        ],
        plain=down("Provider disconnected", status=500, code="server_error", provider=None),
        streamed=down("Provider disconnected", status=500, code="server_error", shown=HALF),
    ),
    Case(
        what="an error after `[DONE]`, without a finish reason",
        script=[two("late", plain=dump({"error": WORD}), streamed=stream_of(chunk(HALF)) + NAMED)],
        plain=down("Provider disconnected", status=500, code="server_error", provider=None),
        streamed=down("Provider disconnected", status=500, code="server_error", shown=HALF),
    ),
    Case(
        what="an error after the finish reason and `[DONE]`: the answer is complete",
        script=[two("too late", plain=whole(), streamed=stream_of(chunk(TEXT), chunk("", "stop")) + NAMED)],
        plain=Answered(),
    ),
    Case(
        what="the daily limit of the free models, inside a 200",
        script=[two("cap", plain=dump({"error": CAP}), streamed=stream_of({"error": CAP}, done=False))],
        plain=Failed(
            kind=KimiRateLimitError, leads=DAILY, advises="or use a paid model.", status=429, code=429, generation=True,
        ),
    ),
    Case(
        what="an error inside the choice",
        script=[faults.error_in_choice().on(ANSWER)],
        plain=down(shown=HALF, usage=True),
    ),
    Case(
        what="finish reason `error` without an error",
        script=[
            two("finish error", plain=whole(HALF, "error"), streamed=stream_of(chunk(HALF), chunk("", "error")))
        ],
        plain=down("The provider stopped with the finish reason 'error'.", shown=HALF),
    ),
    Case(
        what="an error inside `provider`", script=[faults.error_in_provider()], plain=down(provider=None)
    ),
)  # fmt: skip

NOTHING = (
    Case(
        what="`choices` is empty",
        script=[faults.choices_empty()],
        plain=malformed("The reply has no choices.", provider=PROVIDER),
    ),
    Case(
        what="`choices` is null",
        script=[faults.choices_null()],
        plain=malformed("The reply has no choices.", provider=PROVIDER),
    ),
    Case(
        what="an empty answer with finish reason `stop`",
        script=[faults.empty_answer()],
        plain=Failed(
            kind=KimiEmptyReplyError, leads="The model's reply is empty", advises="may help.", provider=PROVIDER,
            retryable=True, generation=True, status=200, usage=True,
        ),
    ),
    Case(
        what="an empty body",
        script=[two("nothing", plain=b"", streamed=b"")],
        plain=malformed("The reply is empty."),
        streamed=Failed(
            kind=KimiIncompleteStreamError, leads="The stream ended before the reply did", advises=AGAIN, status=200,
            retryable=True, generation=True,
        ),
    ),
    Case(
        what="an HTML page with status 200",
        script=[two("page", plain=b"<html>Log in</html>", streamed=b"<html>Log in</html>", content_type="text/html")],
        plain=malformed("The reply is not JSON: it begins with '<html>Log in</html>'."),
    ),
    Case(
        what="a JSON list instead of a reply",
        script=[two("list", plain=b"[1, 2]", streamed=stream_of(b"[1, 2]"))],
        plain=malformed("The reply is not a JSON object."),
        streamed=malformed("An event of the stream is not a JSON object."),
    ),
    Case(
        what="JSON with 100,000 levels",
        script=[two("deep", plain=DEEP, streamed=stream_of(chunk(HALF), DEEP))],
        plain=malformed("The reply is not JSON"),
        streamed=malformed("An event of the stream is not JSON.", shown=HALF, provider=PROVIDER),
    ),
    Case(
        what="a choice that is not an object",
        script=[two("choice", plain=dump({"choices": ["x"]}), streamed=stream_of(chunk(HALF), {"choices": ["x"]}))],
        plain=malformed("A choice does not have the documented form."),
        streamed=malformed("A choice does not have the documented form.", shown=HALF, provider=PROVIDER),
    ),
)  # fmt: skip

CALLED = (
    Case(
        what="tool arguments cut off, finish reason `length`",
        script=[faults.tool_arguments_cut().on(CALLS)],
        plain=Answered(finish="length", **CUT),
        tools=True,
    ),
    Case(
        what="tool arguments never closed, finish reason `tool_calls`",
        script=[faults.tool_arguments_cut("tool_calls").on(CALLS)],
        plain=Answered(finish="tool_calls", **CUT),
        tools=True,
    ),
    Case(
        what="parallel calls with index 0",
        script=[BOTH],
        behavior={"all_index_zero": True},
        plain=Answered(text="", calls=[PARIS, ROME], finish="tool_calls"),
        tools=True,
    ),
    Case(
        what="a call as Kimi's markup in the text",
        script=[faults.leaked_markup().on(CALLS)],
        plain=Answered(text="Let me look.", calls=[PARIS], finish="tool_calls"),
        tools=True,
    ),
    Case(
        what="a call as K3's markup in the text",
        script=[faults.leaked_markup(form="K3").on(CALLS)],
        plain=Answered(text="Let me look.", calls=[PARIS], finish="tool_calls"),
        tools=True,
    ),
    Case(
        what="a call as K3's markup in the reasoning",
        script=[faults.leaked_markup("reasoning", form="K3").on(THOUGHT)],
        plain=Answered(text="", calls=[PARIS], finish="tool_calls"),
        tools=True,
    ),
    Case(
        what="a call as Kimi's markup in the reasoning, never closed",
        script=[faults.leaked_markup("reasoning", ended=False).on(THOUGHT)],
        plain=Answered(text="", calls=[PARIS], finish="tool_calls"),
        tools=True,
    ),
    Case(
        what="usage twice",
        script=[
            two(
                "usage twice",
                plain=whole(usage=USAGE),
                streamed=stream_of(chunk(TEXT), chunk("", "stop", usage=USAGE), chunk("", "stop", usage=USAGE)),
            )
        ],
        plain=Answered(metadata={"cost": 0.5, "is_byok": False, "token_usage": USAGE, "provider": PROVIDER}),
    ),
    Case(
        what="usage with values that are not numbers",
        script=[
            two(
                "odd usage",
                plain=whole(usage=ODD_USAGE),
                streamed=stream_of(chunk(TEXT), chunk("", "stop", usage=ODD_USAGE)),
            )
        ],
        plain=Answered(metadata={"provider": PROVIDER}),
    ),
    Case(what="no finish reason, but `[DONE]`", script=[faults.no_finish_reason().on(ANSWER)],
         plain=Answered(finish=None)),
    Case(
        what="several events joined into one",
        script=[
            two(
                "glued",
                plain=whole(),
                streamed=stream_of(dump(chunk(HALF)) + dump(chunk(TEXT.removeprefix(HALF), "stop"))),
            )
        ],
        plain=Answered(),
    ),
    Case(
        what="a streamed reply to a plain request",
        script=[two("streamed", plain=STREAMED, streamed=STREAMED, content_type="text/event-stream")],
        plain=Answered(metadata={"cost": 0.5, "token_usage": USAGE, "provider": PROVIDER}),
    ),
    Case(
        what="an error in a streamed reply to a plain request",
        script=[two("streamed error", plain=FAILING, streamed=FAILING)],
        plain=down("Provider disconnected", status=500, code="server_error", shown=HALF),
    ),
    Case(
        what="a plain reply to a streamed request",
        script=[two("plain", plain=whole(), streamed=whole(), content_type="application/json")],
        plain=Answered(),
    ),
)  # fmt: skip
CASES = (*ERRORS, *NOTHING, *CALLED)
