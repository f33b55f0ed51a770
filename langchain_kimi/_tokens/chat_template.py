"""Render a conversation with Kimi's chat templates, as the segments of the prompt that the model reads.

Each host renders the prompt itself, and hosts differ in the points that `hosts.PromptForm` lists. Everything else
follows the released templates.
"""

import json
from collections.abc import Sequence

from langchain_kimi._kimi.families import KimiFamily
from langchain_kimi._openrouter.wire import JSONObject, WireMessage
from langchain_kimi._tokens.chat_template_k3 import render_k3
from langchain_kimi._tokens.hosts import PromptForm, ToolsStyle, default_form
from langchain_kimi._tokens.prompt import Prompt, Segment, compact_json, parts_of, reasoning_of
from langchain_kimi._tokens.typescript import typescript_tools

DEFAULT_SYSTEM = "You are Kimi, an AI assistant created by Moonshot AI."
# Hosts bill 18 more tokens for a conversation without a system message: 4 for the special tokens, and these.
_DEFAULT_SYSTEM_TOKENS = 14
# Each is one token of the vocabulary, as follows from billed prompts in which all other tokens are certain.
_ROLE_WORDS = frozenset({"user", "assistant", "system", "tool"})
_END = "<|im_end|>"
_OPENERS = {"user": "<|im_user|>", "assistant": "<|im_assistant|>"}


def render(
    family: KimiFamily | None,
    messages: Sequence[WireMessage],
    tools: Sequence[JSONObject] | None = None,
    form: PromptForm | None = None,
    *,
    is_part: bool = False,
) -> list[Segment]:
    """Return the segments of a conversation and its tools, up to the point where the model continues.

    Args:
        family: The family whose template is used; None for a model that is not a Kimi, whose messages get only the
            special tokens of K2.
        messages: The messages as they are sent.
        tools: The tools as they are sent.
        form: The form in which the host writes the prompt; None: the form of the family's template. K3 has only one.
        is_part: Whether the messages are an arbitrary part of a conversation. Then the reasoning of all turns with tool
            calls is included, so that a longer part never has fewer tokens.

    Returns:
        The segments in the order of the prompt.
    """
    if family is not None and family.template == "k3":
        return render_k3(messages, tools or ())
    return _Template(family, form or default_form(family)).render(messages, tools or (), is_part=is_part)


class _Template:
    """The templates of K2 to K2.7, which differ only in the default system text, the tools and the reasoning."""

    def __init__(self, family: KimiFamily | None, form: PromptForm) -> None:
        self.prompt = Prompt()
        self.form = form
        self.thinks = family is not None and family.thinking != "never"
        self.has_think_tokens = family is not None and family.template != "k2"

    def render(self, messages: Sequence[WireMessage], tools: Sequence[JSONObject], *, is_part: bool) -> list[Segment]:
        if tools:
            self._open("<|im_system|>", "tool_declare")
            self.prompt.add_text(_tools_text(tools, self.form.tools))
            self.prompt.add_special(_END)
        if self.form.default_system and not (messages and messages[0].get("role") == "system"):
            self._open("<|im_system|>", "system")
            self.prompt.add_counted(DEFAULT_SYSTEM, _DEFAULT_SYSTEM_TOKENS)
            self.prompt.add_special(_END)
        running_from = _start_of_running_loop(messages)
        for position, message in enumerate(messages):
            is_running = bool(message.get("tool_calls")) if is_part else position >= running_from
            self._message(message, is_running=is_running)
        self._open("<|im_assistant|>", "assistant")
        if self.has_think_tokens:
            self.prompt.add_special("<think>")
        return self.prompt.segments

    def _open(self, opener: str, label: str) -> None:
        self.prompt.add_special(opener)
        if label in _ROLE_WORDS:
            self.prompt.add_counted(label, 1)
        else:
            self.prompt.add_text(label)
        self.prompt.add_special("<|im_middle|>")

    def _message(self, message: WireMessage, *, is_running: bool) -> None:
        role = message.get("role", "user")
        self._open(_OPENERS.get(role, "<|im_system|>"), message.get("name") or role)
        if role == "assistant" and self.thinks:
            self._add_reasoning(reasoning_of(message) if is_running and self.form.reasoning else "")
        if role == "tool":
            self.prompt.add_text(f"## Return of {message.get('tool_call_id')}\n")
        self._content(message)
        if calls := message.get("tool_calls"):
            self.prompt.add_special("<|tool_calls_section_begin|>")
            for call in calls:
                self.prompt.add_special("<|tool_call_begin|>")
                self.prompt.add_text(call.get("id") or "")
                self.prompt.add_special("<|tool_call_argument_begin|>")
                self.prompt.add_text(call.get("function", {}).get("arguments") or "")
                self.prompt.add_special("<|tool_call_end|>")
            self.prompt.add_special("<|tool_calls_section_end|>")
        self.prompt.add_special(_END)

    def _add_reasoning(self, reasoning: str) -> None:
        # K2-Thinking has no tokens for these tags and reads them as text.
        mark = self.prompt.add_special if self.has_think_tokens else self.prompt.add_text
        mark("<think>")
        self.prompt.add_text(reasoning)
        mark("</think>")

    def _content(self, message: WireMessage) -> None:
        for part in parts_of(message):
            if isinstance(part, str):
                self.prompt.add_text(part)
            else:
                self.prompt.add_special("<|media_begin|>", "image", "<|media_content|>")
                self.prompt.add_media(str(part.get("type")))
                self.prompt.add_special("<|media_end|>")
                self.prompt.add_text("\n")


def _tools_text(tools: Sequence[JSONObject], style: ToolsStyle) -> str:
    if style == "typescript":
        try:
            return typescript_tools(tools) or compact_json(tools)
        except (ValueError, TypeError, AttributeError, LookupError):
            # The released template falls back to JSON too. The host reports a malformed schema.
            return compact_json(tools)
    return compact_json(tools) if style == "compact_json" else json.dumps(tools, ensure_ascii=False, sort_keys=True)


def _start_of_running_loop(messages: Sequence[WireMessage]) -> int:
    """Return the position after the last answer without tool calls. The reasoning of later messages is included."""
    finished = [
        position
        for position, message in enumerate(messages)
        if message.get("role") == "assistant" and not message.get("tool_calls")
    ]
    return finished[-1] + 1 if finished else 0
