"""Middleware for agents with hundreds of tools: the model sees those that it has searched for."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, SystemMessage, ToolCall, ToolMessage
from langchain_core.tools import BaseTool

from langchain_kimi._profile import takes_later_tools
from langchain_kimi._schemas.tools import tools_to_wire
from langchain_kimi._settings import chosen_host
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.middleware.tool_index import ToolIndex

Mode = Literal["auto", "messages", "openrouter", "local"]
_Tool: TypeAlias = BaseTool | dict[str, Any]

_DESCRIPTION = (
    "Search for more tools. You have more tools than you can see. Describe the task in a few English words, such as "
    '"create calendar event"; the tools that are found can be called from then on.'
)
_QUERY = {"type": "string", "description": "Words of the task, or names of tools."}


class KimiToolSearch(AgentMiddleware[AgentState[Any], Any, Any]):
    """Hides tools from the model until it searches for them, so that hundreds of them do not fill the prompt.

    Pass all tools to `create_agent`, as usual. A tool is hidden (deferred) if

    * it is a LangChain tool with `extras={"defer_loading": True}`, or
    * it has no such mark, is not one of `keep`, and there are more than `max_tools` tools without a mark.

    Tools with `"defer_loading": False`, a tool that `tool_choice` names, and server tools are always visible. How the
    model finds hidden tools depends on the model (`mode="auto"`):

    * `"openrouter"`, for `ChatKimi` on OpenRouter: OpenRouter searches and calls them (`deferred_tools`). The list of
      tools stays the same, and so does the cached prompt.
    * `"messages"`, for Kimi K3 on Moonshot's own API: the model gets a search tool, and matching tools are added by a
      system message. The cached prompt stays the same.
    * `"local"`, for all other models: the model gets a search tool, and matching tools are added to the list of tools.
      Each search with new results changes the beginning of the prompt, so its cache is lost once.

    Searches of the last two kinds run on this machine (BM25, extra `tool-search`). Their results are tool messages of
    the agent, so they last as long as these messages are in the conversation. A hidden tool that the model calls
    without a search runs as usual.

    Args:
        keep: The names of tools that are always visible.
        max_tools: The maximum number of tools without a mark that are all visible.
        max_results: The maximum number of tools that a search finds.
        mode: How hidden tools are found; `"auto"` chooses by model and host.
        name: The name of the search tool.

    Raises:
        KimiUsageError: An argument is out of range.
        ImportError: Raised for a search on this machine without the package bm25s.
    """

    def __init__(
        self,
        *,
        keep: Sequence[str] = (),
        max_tools: int = 20,
        max_results: int = 5,
        mode: Mode = "auto",
        name: str = "search_tools",
    ) -> None:
        super().__init__()
        if mode not in get_args(Mode):
            raise KimiUsageError(f"mode must be one of {', '.join(get_args(Mode))}, got {mode!r}.")
        if max_tools < 0 or max_results < 1:
            raise KimiUsageError("max_tools must be at least 0, and max_results at least 1.")
        self.keep = frozenset(keep)
        self.max_tools = max_tools
        self.max_results = max_results
        self.mode = mode
        self.search_name = name

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model with the visible tools, and answer its searches."""
        hidden = self.hidden(request)
        return self._answered(handler(self._prepared(request, hidden)), hidden) if hidden else handler(request)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """Call the model with the visible tools, and answer its searches."""
        hidden = self.hidden(request)
        return (
            self._answered(await handler(self._prepared(request, hidden)), hidden) if hidden else await handler(request)
        )

    def hidden(self, request: ModelRequest[Any]) -> dict[str, _Tool]:
        """Return the tools of a request that are hidden, by name."""
        visible = self.keep | {_chosen(request.tool_choice)}
        named = {name: tool for tool in request.tools if (name := _name_of(tool)) and name not in visible}
        marks = {name: _mark_of(tool) for name, tool in named.items()}
        unmarked = [name for name, mark in marks.items() if mark is None]
        hides_unmarked = len(unmarked) > self.max_tools
        return {name: named[name] for name, mark in marks.items() if mark or (mark is None and hides_unmarked)}

    def _prepared(self, request: ModelRequest[Any], hidden: Mapping[str, _Tool]) -> ModelRequest[Any]:
        mode = mode_of(request) if self.mode == "auto" else self.mode
        if mode == "openrouter":
            search = {"type": "bm25", "max_results": self.max_results}
            control = {"protocol": "v1", "profile": "portable", "search": search, "validation": "runtime"}
            tools = [_deferred(tool) if _name_of(tool) in hidden else tool for tool in request.tools]
            return request.override(tools=tools, model_settings={**request.model_settings, "deferred_tools": control})
        visible = [tool for tool in request.tools if _name_of(tool) not in hidden]
        if mode == "messages":
            messages = self._with_additions(request.messages, hidden)
            return request.override(tools=[*visible, self._search_tool()], messages=messages)
        results = dict.fromkeys(name for message in request.messages for name in self._found_in(message))
        shown = [hidden[name] for name in results if name in hidden]
        return request.override(tools=[*visible, self._search_tool(), *shown])

    def _search_tool(self) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"query": _QUERY}, "required": ["query"]}
        function = {"name": self.search_name, "description": _DESCRIPTION, "parameters": schema}
        return {"type": "function", "function": function}

    def _found_in(self, message: AnyMessage) -> Sequence[str]:
        if isinstance(message, ToolMessage) and message.name == self.search_name:
            names: Sequence[str] = (message.artifact or {}).get("tools") or ()
            return names
        return ()

    def _with_additions(self, messages: Sequence[AnyMessage], hidden: Mapping[str, _Tool]) -> list[AnyMessage]:
        """Return the messages with a system message behind each group of results that has found new tools."""
        result: list[AnyMessage] = []
        added: set[str] = set()
        waiting: dict[str, _Tool] = {}
        for message, following in zip(messages, [*messages[1:], None], strict=True):
            result.append(message)
            waiting |= {name: hidden[name] for name in self._found_in(message) if name in hidden.keys() - added}
            if waiting and not isinstance(following, ToolMessage):
                tools = tools_to_wire(list(waiting.values()), strict=None)
                result.append(SystemMessage([{"type": "additional_tools", "tools": tools}]))
                added |= waiting.keys()
                waiting = {}
        return result

    def _answered(self, response: ModelResponse[Any], hidden: Mapping[str, _Tool]) -> ModelResponse[Any]:
        """Return the response with the results of the searches in it."""
        calls = [
            call
            for message in response.result
            for call in (message.tool_calls if isinstance(message, AIMessage) else ())
            if call["name"] == self.search_name
        ]
        if not calls:
            return response
        functions = [wire["function"] for wire in tools_to_wire(list(hidden.values()), strict=None)]
        index = ToolIndex(functions)
        descriptions = {function["name"]: function.get("description") or "" for function in functions}
        answers = [self._answer(call, index, descriptions) for call in calls]
        return dataclasses.replace(response, result=[*response.result, *answers])

    def _answer(self, call: ToolCall, index: ToolIndex, descriptions: Mapping[str, str]) -> ToolMessage:
        query = call["args"].get("query")
        if not isinstance(query, str) or not query.strip():
            text, names, status = "The argument query must be a text of a few words.", [], "error"
        else:
            names, status = index.search(query, self.max_results), "success"
            lines = [f"- {name}: {' '.join(descriptions[name].split())}" for name in names]
            text = "\n".join(["These tools can be called now:", *lines]) if names else "No tool fits. Try other words."
        artifact = {"tools": names}
        details: Any = {"name": self.search_name, "artifact": artifact, "status": status}
        return ToolMessage(text, tool_call_id=call["id"], **details)


def mode_of(request: ModelRequest[Any]) -> Mode:
    """Return how the model of a request finds hidden tools."""
    model = request.model
    if not isinstance(model, ChatKimi):
        return "local"
    host = chosen_host(model)
    if takes_later_tools(request.model_settings.get("model") or model.model_name, host):
        return "messages"
    return "openrouter" if host.is_openrouter else "local"


def _name_of(tool: _Tool) -> str | None:
    """Return the name of a function; None for a server tool."""
    if isinstance(tool, BaseTool):
        return tool.name
    function = tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _mark_of(tool: _Tool) -> bool | None:
    mark = (
        (tool.extras or {}).get("defer_loading")
        if isinstance(tool, BaseTool)
        else tool["function"].get("defer_loading")
    )
    return mark if isinstance(mark, bool) else None


def _deferred(tool: _Tool) -> _Tool:
    if isinstance(tool, BaseTool):
        return tool.model_copy(update={"extras": {**(tool.extras or {}), "defer_loading": True}})
    return {**tool, "function": {**tool["function"], "defer_loading": True}}


def _chosen(choice: Any) -> str | None:
    if isinstance(choice, dict):
        choice = choice.get("function", choice).get("name")
    return choice if isinstance(choice, str) else None
