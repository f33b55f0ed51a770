"""An assistant message as the wire's.

What the model said goes back as it came: its text is joined with nothing between, its reasoning is not edited. What
only reports on the answer (citations, results of tools that the server ran) is left out, the wire has no field for it.
A message with nothing in it, or white space only, is left out as a whole: hosts refuse an empty assistant turn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi._openrouter.wire import JSONObject, WireMessage
from langchain_kimi._request.content import PARTS, joined, misplaced, non_standard_value, part_to_wire, unknown_type
from langchain_kimi._request.media import Block, UnfitBlockError
from langchain_kimi._request.tool_calls import Call, calls_to_wire, content_call

_REPORTS = frozenset(
    {
        "server_tool_call",
        "server_tool_call_chunk",
        "server_tool_result",
        # Anthropic's
        "redacted_thinking",
        "input_json_delta",
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        # OpenAI's
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_call",
        "mcp_list_tools",
    }
)
"""Blocks that report on an answer, or that only their own provider can read."""


@dataclass(slots=True)
class _Spoken:
    """What was found in the content of a message."""

    parts: list[JSONObject] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    reasoning_details: list[JSONObject] | None = None
    calls: list[Call] = field(default_factory=list)
    images: list[JSONObject] = field(default_factory=list)
    audio_id: str | None = None
    refusal: str = ""

    def add(self, block: str | Block) -> None:
        """Take in one block of the content; raises `UnfitBlockError`."""
        if isinstance(block, str):
            block = {"type": "text", "text": block}
        kind = block.get("type")
        if kind == "non_standard":
            self.add_known(non_standard_value(block))
        elif kind in _TAKE:
            _TAKE[kind](self, block)
        elif kind in PARTS:
            self.parts.append(part_to_wire(block, "assistant"))
        elif kind not in _REPORTS:
            raise unknown_type(kind, "assistant", {*PARTS, *_TAKE})

    def add_known(self, block: Block) -> None:
        """Take in what a `non_standard` block holds, if it means something here.

        An unknown one is another provider's; it must not make its conversation unusable with this model.
        """
        if block.get("type") in _TAKE or block.get("type") in PARTS:
            self.add(block)

    def take_reasoning(self, block: Block) -> None:
        """Take a `reasoning` block (text, or OpenAI's list of summaries) or Anthropic's `thinking`."""
        texts = [block.get("reasoning"), block.get("thinking")]
        if isinstance(summary := block.get("summary"), list):
            texts += [item.get("text") for item in summary if isinstance(item, Mapping)]
        self.reasoning += [text for text in texts if isinstance(text, str)]
        extras = block.get("extras")
        details = extras.get("reasoning_details") if isinstance(extras, Mapping) else None
        if isinstance(details, list):
            self.reasoning_details = [*(self.reasoning_details or []), *details]

    def take_call(self, block: Block) -> None:
        """Take a tool call."""
        self.calls.append(content_call(block))

    def take_image(self, block: Block) -> None:
        """Take an image that the model made."""
        self.images.append(part_to_wire(block, "assistant"))

    def take_audio(self, block: Block) -> None:
        """Take spoken audio: by the id that its provider gave it, or else by its data, if its format is known."""
        extras = block.get("extras")
        ids = [extras.get("id") if isinstance(extras, Mapping) else None, block.get("id")]
        given = [item for item in ids if isinstance(item, str) and not item.startswith("lc_")]
        if given:
            self.audio_id = given[0]
        elif block.get("mime_type"):
            self.parts.append(part_to_wire(block, "assistant"))

    def take_refusal(self, block: Block) -> None:
        """Take a refusal."""
        if isinstance(refusal := block.get("refusal"), str):
            self.refusal += refusal

    def content(self) -> str | list[JSONObject]:
        """Give the text, or the parts where there is more than text."""
        return joined(self.parts, "".join)


_TAKE: dict[str, Callable[[_Spoken, Block], None]] = {
    "reasoning": _Spoken.take_reasoning,
    "thinking": _Spoken.take_reasoning,
    "tool_call": _Spoken.take_call,
    "tool_call_chunk": _Spoken.take_call,
    "invalid_tool_call": _Spoken.take_call,
    "tool_use": _Spoken.take_call,
    "function_call": _Spoken.take_call,
    "image": _Spoken.take_image,
    "image_url": _Spoken.take_image,
    "audio": _Spoken.take_audio,
    "refusal": _Spoken.take_refusal,
}


_NOTHING = _Spoken()


def assistant_to_wire(message: AIMessage, messages: Sequence[BaseMessage], position: int) -> WireMessage | None:
    """Convert `messages[position]`; None when there is nothing in it.

    Raises:
        KimiUsageError: A block of the content, or an argument of a call, cannot be sent.
    """
    content, kept = message.content, message.additional_kwargs
    spoken = _NOTHING if isinstance(content, str) else _listen(content, position)
    text = content if isinstance(content, str) else spoken.content()
    wire: WireMessage = {"role": "assistant", "content": text or None}
    if message.name:
        wire["name"] = message.name
    if spoken is not _NOTHING:
        _add_spoken(wire, spoken)
    if kept:
        _add_kept(wire, kept)
    if message.tool_calls or message.invalid_tool_calls or spoken.calls or kept:
        calls = calls_to_wire(message, spoken.calls, messages, position)
        if calls:
            wire["tool_calls"] = calls
    return wire if _has_substance(wire) else None


def _listen(content: list[Any], position: int) -> _Spoken:
    spoken = _Spoken()
    for index, block in enumerate(content):
        try:
            spoken.add(block)
        except UnfitBlockError as error:
            raise misplaced(f"messages[{position}]", index, error) from error
    return spoken


def _add_spoken(wire: WireMessage, spoken: _Spoken) -> None:
    if spoken.refusal:
        wire["refusal"] = spoken.refusal
    if spoken.reasoning:
        wire["reasoning"] = "".join(spoken.reasoning)
    if spoken.reasoning_details is not None:
        wire["reasoning_details"] = spoken.reasoning_details
    if spoken.images:
        wire["images"] = spoken.images
    if spoken.audio_id:
        wire["audio"] = {"id": spoken.audio_id}


def _add_kept(wire: WireMessage, kept: Mapping[str, Any]) -> None:
    """Add what the reply side kept in `additional_kwargs`, which is closer to the wire than the content is."""
    _add_kept_reasoning(wire, kept)
    if isinstance(refusal := kept.get("refusal"), str) and refusal:
        wire["refusal"] = refusal
    if isinstance(images := kept.get("images"), list) and images:
        wire["images"] = images
    if isinstance(audio := kept.get("audio"), Mapping) and audio.get("id"):
        wire["audio"] = {"id": audio["id"]}
    # Those of files spare OpenRouter from parsing (and billing) the same file again; citations are not read.
    annotations = kept.get("annotations")
    files = [item for item in annotations if _is_file(item)] if isinstance(annotations, list) else []
    if files:
        wire["annotations"] = files


def _is_file(annotation: Any) -> bool:
    return isinstance(annotation, Mapping) and annotation.get("type") == "file"


def _add_kept_reasoning(wire: WireMessage, kept: Mapping[str, Any]) -> None:
    """Put reasoning back exactly as it came.

    Thinking models refuse a tool loop whose calls lost their reasoning, and an edited or reordered list breaks the
    signatures in it. Empty is kept as well: it says that the model did not think.
    """
    text, details = kept.get("reasoning_content"), kept.get("reasoning_details")
    if isinstance(text, str) or isinstance(details, list):
        wire.pop("reasoning", None)
        wire.pop("reasoning_details", None)
    key = kept.get("reasoning_key")
    # What came in the details alone goes back in them, if they are still there.
    if isinstance(text, str) and not (key == "reasoning_details" and isinstance(details, list)):
        wire["reasoning_content" if key == "reasoning_content" else "reasoning"] = text
    if isinstance(details, list):
        wire["reasoning_details"] = details


_SUBSTANCE = ("tool_calls", "refusal", "reasoning", "reasoning_content", "reasoning_details", "images", "audio")


def _has_substance(wire: WireMessage) -> bool:
    content = wire["content"]
    if isinstance(content, str) and not content.isspace():
        return True
    return isinstance(content, list) or any(wire.get(key) for key in _SUBSTANCE)
