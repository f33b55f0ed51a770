"""The cases of a verification: recorded turns with their tools, and whether a call is due."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.errors import KimiUsageError

_ROLES = {"_input": "system", "human": "user", "ai": "assistant"}
"""The names of roles in Moonshot's files and in LangChain's, and those on the wire."""


@dataclass(frozen=True, slots=True)
class Case:
    """A turn to be answered.

    Attributes:
        messages: The conversation, as dicts with `role` and `content`.
        tools: The tools in OpenAI's form.
        call: Whether a tool call is expected; None if it is unknown, so that a reference host decides.
        parameters: Further parameters of the request, such as `temperature` and `response_format`.
        name: A short name for reports.
    """

    messages: list[JSONObject]
    tools: list[JSONObject] = field(default_factory=list)
    call: bool | None = None
    parameters: JSONObject = field(default_factory=dict)
    name: str = ""

    @property
    def key(self) -> str:
        """A digest of the request, which is the same in every run."""
        text = json.dumps([self.messages, self.tools, self.parameters], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def packaged_cases() -> list[Case]:
    """Return the cases of this package: single, parallel and nested calls, turns without a call, structured output."""
    text = files(__package__ or "").joinpath("cases.jsonl").read_text(encoding="utf-8")
    return [*_cases(text, "cases.jsonl")]


def load_cases(path: str | Path) -> list[Case]:
    """Return the cases of a file with a JSON object in each line.

    Each line is a request body (`messages`, `tools`, ...), with `call` (true or false) or an answer (`response`,
    `outputs`) if it is known whether a call is expected; or a run that LangSmith exported (`inputs`, `outputs`).

    Raises:
        KimiUsageError: The file cannot be read, or a line has no messages.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise KimiUsageError(f"The cases cannot be read: {error}.") from None
    return [*_cases(text, Path(path).name)]


def _cases(text: str, source: str) -> Iterator[Case]:
    # Not `splitlines`: JSON strings may contain other characters that end a line.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield _case(json.loads(line), f"{source}:{number}")
            except (ValueError, TypeError, AttributeError, LookupError):
                raise KimiUsageError(f"{source}:{number} is not a request with messages.") from None


def _case(row: JSONObject, name: str) -> Case:
    inputs = row.get("inputs") or row
    messages = inputs["messages"]
    if messages and isinstance(messages[0], list):
        # LangSmith exports the inputs of chat models as a batch of one.
        messages = messages[0]
    if not messages:
        raise ValueError("no messages")
    extra = (row.get("extra") or {}).get("invocation_params") or {}
    call = row.get("call")
    answer = row.get("outputs") or row.get("response")
    if call is None and answer is not None:
        call = _has_calls(answer)
    own_keys = {"messages", "tools", "call", "name", "model", "stream", "stream_options", "response", "provider"}
    parameters = {} if "inputs" in row else {key: value for key, value in row.items() if key not in own_keys}
    tools = inputs.get("tools") or extra.get("tools") or []
    return Case([_message(message) for message in messages], tools, call, parameters, row.get("name") or name)


def _message(message: JSONObject) -> JSONObject:
    if isinstance(message.get("kwargs"), Mapping):
        # LangChain's own serialization names the class of a message.
        message = {"type": message["id"][-1].removesuffix("Message").removesuffix("Chunk").lower(), **message["kwargs"]}
    role = message.get("role") or message["type"]
    fields = ("content", "name", "tool_calls", "tool_call_id", "reasoning", "reasoning_content")
    return {"role": _ROLES.get(role, role), **{key: message[key] for key in fields if message.get(key) is not None}}


def _has_calls(answer: Any) -> bool:
    """Return whether there is a tool call anywhere in an answer, which may be a body, a message or a generation."""
    if isinstance(answer, Mapping):
        return bool(answer.get("tool_calls")) or any(_has_calls(value) for value in answer.values())
    return isinstance(answer, list) and any(_has_calls(value) for value in answer)
