"""Judge one answer: its finish reason, its calls, leaked markup, and structured output. No I/O."""

import json
import re
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage

from langchain_kimi._kimi.tools import load_validator
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.verify.cases import Case

_MARKUP = re.compile(r"<\|(?:tool_calls?_|im_|open\||close\||sep\||end_of_)|</?tool_calls?>")
"""Kimi's own markup, K2's and K3's, which never belongs into an answer."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The findings about one answer.

    Attributes:
        called: Whether it has a tool call, valid or not.
        valid: Whether all its calls name an offered tool and fit its schema; None without calls.
        structured: Whether its text fits the requested JSON schema; None if none was requested.
        leaked: Whether its text or reasoning has Kimi's markup in it.
        empty: Whether it has neither text nor a call.
        finish: The finish reason.
    """

    called: bool
    valid: bool | None
    structured: bool | None
    leaked: bool
    empty: bool
    finish: str

    @property
    def finish_fits(self) -> bool:
        """Whether the finish reason says truly whether there is a call."""
        return self.finish == ("tool_calls" if self.called else "stop")


def judge(message: AIMessage, case: Case) -> Judgement:
    """Return the findings about an answer to a case."""
    text = message.text
    reasoning = str(message.additional_kwargs.get("reasoning_content") or "")
    called = bool(message.tool_calls or message.invalid_tool_calls)
    form = case.parameters.get("response_format") or {}
    return Judgement(
        called=called,
        valid=_calls_are_valid(message, case.tools) if called else None,
        structured=_fits_text(text, form["json_schema"]["schema"]) if form.get("type") == "json_schema" else None,
        leaked=bool(_MARKUP.search(text) or _MARKUP.search(reasoning)),
        empty=not text.strip() and not called,
        finish=str(message.response_metadata.get("finish_reason") or ""),
    )


def _calls_are_valid(message: AIMessage, tools: list[JSONObject]) -> bool:
    functions = {tool["function"]["name"]: tool["function"] for tool in tools if tool.get("type") == "function"}
    return not message.invalid_tool_calls and all(
        call["name"] in functions and _fits(call["args"], functions[call["name"]].get("parameters") or {})
        for call in message.tool_calls
    )


def _fits_text(text: str, schema: JSONObject) -> bool:
    try:
        return _fits(json.loads(text), schema)
    except ValueError:
        return False


def _fits(value: Any, schema: JSONObject) -> bool:
    jsonschema = load_validator()
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft7Validator)
    return bool(kind(schema).is_valid(value))
