"""The rows of a batch's results, read as the replies of calls."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import ChatResult

from langchain_kimi._calls import bodies, connection, headers
from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._kimi.outgoing import changes_of_choice, changes_of_tools
from langchain_kimi._kimi.repairs import chosen_repairs
from langchain_kimi._openrouter.errors import error_from_reply
from langchain_kimi._openrouter.http.calls import Call
from langchain_kimi._openrouter.http.replaying import StoredResponse, replay
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.retries import Retries
from langchain_kimi._openrouter.wire import JSONObject, WireEvent
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi.batch.errors import unanswered
from langchain_kimi.batch.program import Program
from langchain_kimi.errors import KimiError, RawReply

_OK = 200
_BAD_REQUEST = 400
_ENDED = {
    "completed": "The batch ended without a result of this row.",
    "expired": "The batch expired before this row was answered.",
    "cancelled": "The batch was cancelled before this row was answered.",
}
_UNANSWERED_CODES = {"batch_expired": "expired", "batch_cancelled": "cancelled"}
"""OpenAI's codes of rows that were not answered (https://platform.openai.com/docs/api-reference/batch)."""


@dataclass(frozen=True, slots=True)
class ReplyReader:
    """Reads the replies of a batch with a model's settings.

    Attributes:
        program: The runnable.
        batch: The object of the batch.
        body: The body of a request, without its conversation.
        call: A call that was not made, for the errors of one that was.
        changes: What was changed in the body, for reports.
    """

    program: Program
    batch: JSONObject = field(repr=False)
    body: Any = field(repr=False)
    call: Call[Any] = field(repr=False)
    changes: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, program: Program, batch: JSONObject, key: str) -> "ReplyReader":
        """Return a reader.

        Args:
            program: The runnable.
            batch: The object of the batch.
            key: The API key, which must not be in errors.
        """
        settings = program.model
        nothing: list[BaseMessage] = [HumanMessage("")]
        unrepaired, body = bodies(settings, nothing, program.arguments, None, streamed=False)
        call: Call[Any] = Call(
            connection=connection(settings),
            headers=headers(settings, None, key=key, streamed=False),
            body=b"",
            new_reader=_no_reader,
            retries=Retries(0),
            model=body.get("model"),
        )
        changes = {**changes_of_choice(unrepaired, body), **changes_of_tools(unrepaired, body)}
        return cls(program, batch, body, call, changes)

    def read(self, row: JSONObject | None, call_ids: frozenset[str]) -> ChatResult:
        """Return the result of a row.

        Args:
            row: The row of the results, or None if it is missing.
            call_ids: The ids of the tool calls in the row's conversation.

        Raises:
            KimiError: The row has no answer; the same error as a call with this reply.
        """
        if row is None:
            raise self._without_row(str(self.batch.get("status")))
        response, error = row.get("response"), row.get("error")
        if isinstance(response, dict) and not error:
            status = response.get("status_code")
            content = json.dumps(self._marked(response.get("body"), row)).encode()
            return self._replayed(StoredResponse(status if isinstance(status, int) else _OK, content), call_ids)
        reason: JSONObject = error if isinstance(error, dict) else {"message": str(error or "The row has no response.")}
        code = reason.get("code") or reason.get("type")
        if str(code) in _UNANSWERED_CODES:
            raise self._without_row(_UNANSWERED_CODES[str(code)])
        failure = {"error": {**reason, "code": code}, "id": row.get("id")}
        return self._replayed(StoredResponse(_OK, json.dumps(failure).encode()), call_ids)

    def _marked(self, body: Any, row: JSONObject) -> Any:
        """Return the body of a reply with the batch that it is of, which becomes response metadata."""
        if not isinstance(body, dict) or body.get("error"):
            return body
        source = body.get("batch")
        ids = {"id": self.batch.get("id"), "custom_id": row.get("custom_id")}
        return {**body, "batch": {**ids, **(source if isinstance(source, dict) else {})}}

    def _replayed(self, response: StoredResponse, call_ids: frozenset[str]) -> ChatResult:
        settings = self.program.model
        repairs = RepairOptions(
            chosen_repairs(settings.repairs), lambda: call_ids, settings.validate_tool_calls, **self.changes
        )

        def new_reader(head: ResponseHead) -> PlainMessage:
            return PlainMessage(head, self.body, idle=None, repair_options=repairs)

        call: Call[Any] = Call(
            connection=self.call.connection,
            headers=self.call.headers,
            body=b"",
            new_reader=new_reader,
            retries=self.call.retries,
            model=self.call.model,
        )
        [result] = replay(call, response)
        return cast("ChatResult", result)

    def _without_row(self, status: str) -> KimiError:
        batch_id, model = str(self.batch.get("id")), str(self.call.model)
        if status == "failed":
            # The server found a fault in the requests: the same error as that of a request that it refuses.
            message = failure_of(self.batch) or "The batch failed."
            reply = cast("WireEvent", {"error": {"message": message, "code": _BAD_REQUEST}, "model": model})
            error = error_from_reply(reply, RawReply(_BAD_REQUEST), now=0.0)
            error.update(metadata={"batch": batch_id})
            return error
        return unanswered(batch_id, status, _ENDED.get(status, f"The batch is {status}."), model)


def failure_of(batch: Mapping[str, Any]) -> str:
    """Return why a batch failed, empty if the server does not say: `error` at OpenRouter, `errors.data` in files."""
    error, errors = batch.get("error"), batch.get("errors")
    if isinstance(error, dict):
        return str(error.get("message") or "")
    rows = errors.get("data") if isinstance(errors, dict) else None
    return " ".join(str(row.get("message")) for row in rows or () if isinstance(row, dict))


def _no_reader(_head: ResponseHead) -> Any:
    """Return nothing: the call is never made."""
