"""Thinks up a reply to a request: calls tools that fit, keeps to schemas, and otherwise talks.

Nothing is understood. What a prompt says is read off it (`prompts`), and schemas are filled with it (`schema_walk`).
"""

import json
import re
from dataclasses import replace
from itertools import takewhile
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import prompts, schema_walk
from langchain_kimi.testing.replies import Reply, ToolCall

_WORD = re.compile(r"[a-z]+|[^\W_a-z\d]{2,}")
_EMPTY_WORDS = frozenset(
    _WORD.findall(
        "a an and are at by call can for from get give go how i in is it its me my of on or please tell that the this "
        "to tool use using what with you your function find fetch show"
    )
)
_EXCERPT = 80
_SAID_IN_DESCRIPTION = 2


def answer(body: JSONObject) -> Reply:
    """Think up the reply to a valid request."""
    calls = _calls(body)
    return Reply(tool_calls=calls) if calls else Reply(text=_text(body))


def thought(body: JSONObject, reply: Reply) -> str:
    """Think aloud about the request, before the reply."""
    asked = prompts.last_user_text(body["messages"])[:_EXCERPT]
    plan = f"I should call {reply.calls[0].name}." if reply.calls else "I can answer this directly."
    return f' The user says: "{asked}". {plan}'


def _calls(body: JSONObject) -> list[ToolCall]:
    tools = [tool["function"] for tool in body.get("tools") or () if tool["type"] == "function"]
    choice = body.get("tool_choice") or "auto"
    if not tools or choice == "none" or body["messages"][-1]["role"] == "assistant":
        return []
    facts = prompts.read(prompts.last_user_text(body["messages"]))
    if isinstance(choice, dict):
        named = [tool for tool in tools if tool["name"] == choice.get("function", {}).get("name")]
        return [_call(tool, facts) for tool in named]
    already = _called_since_user(body["messages"])
    if choice == "required":
        left = [tool for tool in tools if tool["name"] not in already] or tools[-1:]
        chosen = [tool for tool in left if _fits(tool, facts)] or left[:1]
    else:
        chosen = [] if already else [tool for tool in tools if _fits(tool, facts)]
    calls = [call for tool in chosen for call in _calls_of(tool, facts)]
    return calls[:1] if body.get("parallel_tool_calls") is False else calls


def _called_since_user(messages: list[JSONObject]) -> set[str]:
    """Name the tools that were called since the user spoke last."""
    since = takewhile(lambda message: message["role"] != "user", reversed(messages))
    return {call["function"]["name"] for message in since for call in message.get("tool_calls") or ()}


def _words(text: str) -> set[str]:
    parted = re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()
    return {word.rstrip("s") for word in _WORD.findall(parted)} - _EMPTY_WORDS


def _fits(tool: JSONObject, facts: prompts.Facts) -> bool:
    """Say whether a prompt seems to ask for a tool: by a word of its name, or by several of its description."""
    said = _words(facts.text)
    described = _words(tool.get("description") or "")
    return bool(_words(tool["name"]) & said) or len(described & said) >= _SAID_IN_DESCRIPTION


def _calls_of(tool: JSONObject, facts: prompts.Facts) -> list[ToolCall]:
    """Call a tool, once for each place that the prompt names where it takes one."""
    if not schema_walk.wants_place(tool.get("parameters") or {}):
        return [_call(tool, facts)]
    return [_call(tool, replace(facts, places=(place,))) for place in facts.places] or [_call(tool, facts)]


def _call(tool: JSONObject, facts: prompts.Facts) -> ToolCall:
    parameters = tool.get("parameters") or {}
    return ToolCall(tool["name"], schema_walk.fill({"type": "object", **parameters}, facts))


def _text(body: JSONObject) -> str:
    messages = body["messages"]
    facts = prompts.read(prompts.last_user_text(messages))
    form = body.get("response_format") or {"type": "text"}
    if form["type"] == "json_schema":
        return _json(schema_walk.fill(form["json_schema"].get("schema") or {"type": "object"}, facts))
    if form["type"] == "json_object":
        return _json(_keyed_object(messages, facts))
    if messages[-1]["role"] == "assistant":
        return " and so it goes on, from where you left off."
    results = _results(messages)
    if results:
        return "The tool says: " + " ".join(results)
    return _talk(facts.text)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _keyed_object(messages: list[JSONObject], facts: prompts.Facts) -> JSONObject:
    """Make an object with the keys that the prompt, or else any message, names."""
    names = prompts.keys(facts.text) or [name for one in messages for name in prompts.keys(prompts.text_of(one))]
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names or ["answer"]}}
    value: JSONObject = schema_walk.fill(schema, replace(facts, quoted=()))
    return value


def _results(messages: list[JSONObject]) -> list[str]:
    """List the results of the tools that were called since the last answer, if they are what came last."""
    last = list(takewhile(lambda message: message["role"] == "tool", reversed(messages)))
    return [prompts.text_of(message) for message in reversed(last)]


def _talk(asked: str) -> str:
    return f"You said: {asked[:_EXCERPT]}\nThat is a good thing to talk about, and I am glad to help you with it."
