"""Render a conversation with the chat template of Kimi K3, which uses tags and has no ids of tool calls.

It follows one published copy of the template. No recorded exchange was available to compare its token counts with.
"""

from collections.abc import Sequence

from langchain_kimi._openrouter.wire import JSONObject, WireMessage, WireToolCall
from langchain_kimi._tokens.prompt import Prompt, Segment, compact_json, parts_of, reasoning_of

_TOOLS_HEAD = "# Tools\nHere are the available tools, described in JSONSchema.\n\n```json\n"
_EFFORT = (
    "`thinking_effort` guides on how much to think in your thinking channel (not including the response channel), "
    "supported values include `low`, `medium`, `high`, and `max`.\n"
    "Now the system is invoked with `thinking_effort=max`."
)


def render_k3(messages: Sequence[WireMessage], tools: Sequence[JSONObject]) -> list[Segment]:
    """Return the segments of a conversation and its tools, up to the point where the model starts to reason."""
    return _Template().render(messages, tools)


class _Template:
    def __init__(self) -> None:
        self.prompt = Prompt()
        self.names: dict[str, tuple[str, int]] = {}

    def render(self, messages: Sequence[WireMessage], tools: Sequence[JSONObject]) -> list[Segment]:
        if tools:
            self._whole_message(f"{_TOOLS_HEAD}{compact_json(tools)}\n```", role="system", type="tool-declare")
        # The text names the effort `max`. Every other effort has the same number of tokens.
        self._whole_message(_EFFORT, role="system", type="thinking-effort")
        for message in messages:
            self._message(message)
        self._open("message", role="assistant")
        self._open("think")
        return self.prompt.segments

    def _open(self, tag: str, **attributes: object) -> None:
        self.prompt.add_special("<|open|>")
        written = (f' {name}="{_escaped(value)}"' for name, value in attributes.items())
        self.prompt.add_text(tag + "".join(written))
        self.prompt.add_special("<|sep|>")

    def _close(self, tag: str) -> None:
        self.prompt.add_special("<|close|>")
        self.prompt.add_text(tag)
        self.prompt.add_special("<|sep|>")

    def _end(self) -> None:
        self._close("message")
        self.prompt.add_special("<|end_of_msg|>")

    def _whole_message(self, text: str, **attributes: object) -> None:
        self._open("message", **attributes)
        self.prompt.add_text(text)
        self._end()

    def _message(self, message: WireMessage) -> None:
        role = message.get("role", "user")
        if role == "tool":
            name, index = self.names.get(message.get("tool_call_id", ""), ("tool", 1))
            self._open("message", role="tool", tool=name, index=index)
        else:
            own_name = {"name": message["name"]} if message.get("name") else {}
            self._open("message", role=role, **own_name)
        if role == "assistant":
            self._answer(message)
        else:
            self._content(message)
        self._end()

    def _answer(self, message: WireMessage) -> None:
        self._open("think")
        self.prompt.add_text(reasoning_of(message).strip() and reasoning_of(message))
        self._close("think")
        self._open("response")
        self._content(message)
        self._close("response")
        if calls := message.get("tool_calls"):
            self._open("tools")
            for index, call in enumerate(calls, start=1):
                self._call(call, index)
            self._close("tools")

    def _call(self, call: WireToolCall, index: int) -> None:
        function = call.get("function", {})
        name = function.get("name") or ""
        self.names[call.get("id") or ""] = (name, index)
        self._open("call", tool=name, index=index)
        if arguments := function.get("arguments"):
            self._open("json", type="object")
            self.prompt.add_text(arguments)
            self._close("json")
        self._close("call")

    def _content(self, message: WireMessage) -> None:
        for part in parts_of(message):
            if isinstance(part, str):
                self.prompt.add_text(part)
            else:
                self.prompt.add_media(str(part.get("type")))


def _escaped(value: object) -> str:
    return str(value).replace("&", "&amp;").replace('"', "&quot;")
