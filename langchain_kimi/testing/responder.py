"""Generates replies to requests by rules: calls the tools that a prompt names, fills JSON schemas, or returns a text.

The facts in a prompt come from `prompts`; `schema_values` fills schemas with them.
"""

import json
import re
from dataclasses import replace
from itertools import takewhile
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import prompts, schema_values
from langchain_kimi.testing.replies import Reply, ToolCall

_WORD = re.compile(r"[a-z]+|[^\W_a-z\d]{2,}")
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a an and are at by call can for from get give go how i in is it its me my of on or please tell that the this "
        "to tool use using what with you your function find fetch show"
    )
)
_EXCERPT = 80
_COMMON_WORDS = 2
"""A tool fits a prompt if its description has this many words of the prompt."""


def reply_to(body: JSONObject) -> Reply:
    """Return the reply to a valid request."""
    calls = _calls(body)
    return Reply(tool_calls=calls) if calls else Reply(text=_text(body))


def reasoning_for(body: JSONObject, reply: Reply) -> str:
    """Return the reasoning that precedes a reply."""
    excerpt = prompts.last_user_text(body["messages"])[:_EXCERPT]
    plan = f"I should call {reply.calls[0].name}." if reply.calls else "I can answer this directly."
    return f' The user says: "{excerpt}". {plan}'


def _calls(body: JSONObject) -> list[ToolCall]:
    tools = [tool["function"] for tool in body.get("tools") or () if tool["type"] == "function"]
    choice = body.get("tool_choice") or "auto"
    # Hosts begin a new turn behind an assistant message, and force the call there too.
    is_text = choice == "none" or (choice == "auto" and body["messages"][-1]["role"] == "assistant")
    if not tools or is_text:
        return []
    facts = prompts.read(prompts.last_user_text(body["messages"]))
    if isinstance(choice, dict):
        named = [tool for tool in tools if tool["name"] == choice.get("function", {}).get("name")]
        return [_call(tool, facts) for tool in named]
    called = _called_since_user(body["messages"])
    if choice == "required":
        uncalled = [tool for tool in tools if tool["name"] not in called] or tools[-1:]
        chosen = [tool for tool in uncalled if _fits(tool, facts)] or uncalled[:1]
    else:
        chosen = [] if called else [tool for tool in tools if _fits(tool, facts)]
    calls = [call for tool in chosen for call in _calls_of(tool, facts)]
    return calls[:1] if body.get("parallel_tool_calls") is False else calls


def _called_since_user(messages: list[JSONObject]) -> set[str]:
    """Return the names of the tools that were called since the last user message."""
    since = takewhile(lambda message: message["role"] != "user", reversed(messages))
    return {call["function"]["name"] for message in since for call in message.get("tool_calls") or ()}


def _words(text: str) -> set[str]:
    separated = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()
    return {word.rstrip("s") for word in _WORD.findall(separated)} - _STOP_WORDS


def _fits(tool: JSONObject, facts: prompts.Facts) -> bool:
    """Return whether a prompt seems to ask for a tool, by a word of its name or several words of its description."""
    prompt = _words(facts.text)
    description = _words(tool.get("description") or "")
    return bool(_words(tool["name"]) & prompt) or len(description & prompt) >= _COMMON_WORDS


def _calls_of(tool: JSONObject, facts: prompts.Facts) -> list[ToolCall]:
    """Return the calls of a tool: one for each place in the prompt if the tool takes a place, else one."""
    if not schema_values.wants_place(tool.get("parameters") or {}):
        return [_call(tool, facts)]
    return [_call(tool, replace(facts, places=(place,))) for place in facts.places] or [_call(tool, facts)]


def _call(tool: JSONObject, facts: prompts.Facts) -> ToolCall:
    parameters = tool.get("parameters") or {}
    return ToolCall(tool["name"], schema_values.fill({"type": "object", **parameters}, facts))


def _text(body: JSONObject) -> str:
    messages = body["messages"]
    facts = prompts.read(prompts.last_user_text(messages))
    form = body.get("response_format") or {"type": "text"}
    if form["type"] == "json_schema":
        return _json(schema_values.fill(form["json_schema"].get("schema") or {"type": "object"}, facts))
    if form["type"] == "json_object":
        return _json(_keyed_object(messages, facts))
    if messages[-1]["role"] == "assistant":
        return " and it continues from there."
    results = _results(messages)
    if results:
        return "The tool says: " + " ".join(results)
    return _talk(facts.text)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _keyed_object(messages: list[JSONObject], facts: prompts.Facts) -> JSONObject:
    """Return an object with the keys that the prompt names, or any message if it names no keys."""
    names = prompts.keys(facts.text) or [name for one in messages for name in prompts.keys(prompts.text_of(one))]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names or ["answer"]}}
    value: JSONObject = schema_values.fill(schema, replace(facts, quoted=()))
    return value


def _results(messages: list[JSONObject]) -> list[str]:
    """Return the tool results at the end of the conversation."""
    last = list(takewhile(lambda message: message["role"] == "tool", reversed(messages)))
    return [prompts.text_of(message) for message in reversed(last)]


def _talk(prompt: str) -> str:
    return f"You said: {prompt[:_EXCERPT]}\nThat is a good thing to talk about, and I am glad to help you with it."
