"""How a conversation becomes Kimi's prompt: its chat templates, as segments that can be counted.

Each host renders the prompt itself, and hosts differ, see `prompt_forms`; all else here is what the released templates
do.
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
# Hosts bill 18 tokens more without a system message: the envelope's 4, and these.
_DEFAULT_SYSTEM_TOKENS = 14
# Each is one token of the vocabulary, told by prompts of which everything else is known.
_ROLE_WORDS = frozenset({"user", "assistant", "system", "tool"})
_END = "<|im_end|>"
_OPENERS = {"user": "<|im_user|>", "assistant": "<|im_assistant|>"}


def render(
    family: KimiFamily | None,
    messages: Sequence[WireMessage],
    tools: Sequence[JSONObject] | None = None,
    form: PromptForm | None = None,
) -> list[Segment]:
    """Render a conversation and its tools, up to where the model goes on writing.

    Args:
        family: Whose template; None for a model that is no Kimi, of which the plain envelope is the best guess.
        messages: The conversation as it is sent.
        tools: The tools on offer, as they are sent.
        form: How the host writes it; None is what the family's template does. K3 has one form only.
    """
    if family is not None and family.template == "k3":
        return render_k3(messages, tools or ())
    return _Template(family, form or default_form(family)).render(messages, tools or ())


class _Template:
    """The templates of K2 to K2.7, which differ in three points: default system text, tools, thinking."""

    def __init__(self, family: KimiFamily | None, form: PromptForm) -> None:
        self.prompt = Prompt()
        self.form = form
        self.thinks = family is not None and family.thinks != "never"
        self.has_think_tokens = family is not None and family.template != "k2"

    def render(self, messages: Sequence[WireMessage], tools: Sequence[JSONObject]) -> list[Segment]:
        if tools:
            self._open("<|im_system|>", "tool_declare")
            self.prompt.text(_declared(tools, self.form.tools))
            self.prompt.special(_END)
        if self.form.default_system and not (messages and messages[0].get("role") == "system"):
            self._open("<|im_system|>", "system")
            self.prompt.known(DEFAULT_SYSTEM, _DEFAULT_SYSTEM_TOKENS)
            self.prompt.special(_END)
        running_from = _start_of_running_loop(messages)
        for position, message in enumerate(messages):
            self._message(message, is_running=position >= running_from)
        self._open("<|im_assistant|>", "assistant")
        if self.has_think_tokens:
            self.prompt.special("<think>")
        return self.prompt.segments

    def _open(self, opener: str, label: str) -> None:
        self.prompt.special(opener)
        if label in _ROLE_WORDS:
            self.prompt.known(label, 1)
        else:
            self.prompt.text(label)
        self.prompt.special("<|im_middle|>")

    def _message(self, message: WireMessage, *, is_running: bool) -> None:
        role = message.get("role", "user")
        self._open(_OPENERS.get(role, "<|im_system|>"), message.get("name") or role)
        if role == "assistant" and self.thinks:
            self._thoughts(reasoning_of(message) if is_running and self.form.reasoning else "")
        if role == "tool":
            self.prompt.text(f"## Return of {message.get('tool_call_id')}\n")
        self._content(message)
        if calls := message.get("tool_calls"):
            self.prompt.special("<|tool_calls_section_begin|>")
            for call in calls:
                self.prompt.special("<|tool_call_begin|>")
                self.prompt.text(call.get("id") or "")
                self.prompt.special("<|tool_call_argument_begin|>")
                self.prompt.text(call.get("function", {}).get("arguments") or "")
                self.prompt.special("<|tool_call_end|>")
            self.prompt.special("<|tool_calls_section_end|>")
        self.prompt.special(_END)

    def _thoughts(self, reasoning: str) -> None:
        # K2-Thinking has no tokens for these marks, it reads them as text.
        mark = self.prompt.special if self.has_think_tokens else self.prompt.text
        mark("<think>")
        self.prompt.text(reasoning)
        mark("</think>")

    def _content(self, message: WireMessage) -> None:
        for part in parts_of(message):
            if isinstance(part, str):
                self.prompt.text(part)
            else:
                self.prompt.special("<|media_begin|>", "image", "<|media_content|>")
                self.prompt.media(str(part.get("type")))
                self.prompt.special("<|media_end|>")
                self.prompt.text("\n")


def _declared(tools: Sequence[JSONObject], style: ToolsStyle) -> str:
    if style == "typescript":
        try:
            return typescript_tools(tools) or compact_json(tools)
        except (ValueError, TypeError, AttributeError, LookupError):
            # The template falls back so too; that a schema is malformed is for the host to say.
            return compact_json(tools)
    return compact_json(tools) if style == "compact_json" else json.dumps(tools, ensure_ascii=False, sort_keys=True)


def _start_of_running_loop(messages: Sequence[WireMessage]) -> int:
    """The position after the last answer without calls: from there on the model sees what it thought."""
    finished = [
        position
        for position, message in enumerate(messages)
        if message.get("role") == "assistant" and not message.get("tool_calls")
    ]
    return finished[-1] + 1 if finished else 0
