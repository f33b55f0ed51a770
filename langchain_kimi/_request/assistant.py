"""Convert assistant messages to wire messages.

The model's output is sent back unchanged: texts are joined without a separator and reasoning is not edited. Blocks that
only describe the answer (citations, results of server tools) are left out, because the wire has no field for them.

Hosts refuse an assistant turn without text and tool calls (Moonshot: "the message at position … with role 'assistant'
must not be empty"), even if it has reasoning. Such a turn, which may result from `max_tokens` or a broken connection,
is left out. A refusal or the transcript of speech is sent as the text of its turn.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi._openrouter.wire import JSONObject, WireMessage
from langchain_kimi._request.blocks import Block, type_of
from langchain_kimi._request.content import PARTS, joined, misplaced, non_standard_value, part_to_wire
from langchain_kimi._request.media import UnfitBlockError
from langchain_kimi._request.reasoning import details_to_wire
from langchain_kimi._request.results import provider_call
from langchain_kimi._request.tool_calls import Call, calls_to_wire, content_call
from langchain_kimi._request.unknown import is_reasoning, log_left_out, text_in

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
"""Types of blocks that describe an answer, or that only their own provider can read."""


class _Content:
    """The content blocks of a message, sorted by wire field."""

    __slots__ = (
        "audio_id", "calls", "ends_with_unknown", "images", "parts", "reasoning", "reasoning_details", "refusal",
        "transcript",
    )  # fmt: skip

    def __init__(self) -> None:
        self.parts: list[JSONObject] = []
        self.reasoning: list[str] = []
        self.reasoning_details: list[JSONObject] | None = None
        self.calls: list[Call] = []
        self.images: list[JSONObject] = []
        self.audio_id: str | None = None
        self.refusal = ""
        self.transcript = ""
        self.ends_with_unknown = False

    def add(self, block: str | Block | None) -> None:
        """Add a block, or nothing.

        Raises:
            UnfitBlockError: The block cannot be sent.
        """
        if not isinstance(block, Mapping):
            block = {"type": "text", "text": block}
        kind = type_of(block)
        if kind == "non_standard":
            self.add(non_standard_value(block))
        elif kind == "text" and not isinstance(block.get("text"), str):
            # OpenAI's Assistants have an object as text, and Anthropic streams citations without text.
            self.add_unknown(block)
        elif kind in _ADDERS:
            _ADDERS[kind](self, block)
        elif kind in PARTS:
            self.add_part(part_to_wire(block, "assistant"))
        elif call := provider_call(block):
            self.calls.append(Call(*call))
        elif kind not in _REPORTS:
            self.add_unknown(block)

    def add_part(self, part: JSONObject) -> None:
        """Add a part. A newline separates its text from the text of an unknown block before it."""
        if self.ends_with_unknown and part.get("type") == "text" and not part["text"][:1].isspace():
            part = {**part, "text": f"\n{part['text']}"}
        self.ends_with_unknown = False
        self.parts.append(part)

    def add_unknown(self, block: Block) -> None:
        """Add the text of a block of unknown type."""
        log_left_out(block, "assistant")
        text = text_in(block)
        if text and is_reasoning(block):
            self.reasoning.append(text)
        elif text:
            last = self.parts[-1] if self.parts else {}
            separator = "\n" if last.get("type") == "text" and not last["text"][-1:].isspace() else ""
            self.parts.append({"type": "text", "text": f"{separator}{text}"})
            self.ends_with_unknown = not text[-1:].isspace()

    def add_reasoning(self, block: Block) -> None:
        """Add a `reasoning` block (text, or OpenAI's list of summaries) or a `thinking` block.

        Anthropic's `thinking` is a text, Mistral's is a list of blocks.
        """
        texts = [block.get("reasoning"), block.get("thinking")]
        for key in ("summary", "thinking"):
            if isinstance(items := block.get(key), list):
                texts += [item.get("text") for item in items if isinstance(item, Mapping)]
        self.reasoning += [text for text in texts if isinstance(text, str)]
        extras = block.get("extras")
        details = extras.get("reasoning_details") if isinstance(extras, Mapping) else None
        if isinstance(details, list):
            self.reasoning_details = [*(self.reasoning_details or []), *details]

    def add_call(self, block: Block) -> None:
        """Add a tool call."""
        self.calls.append(content_call(block))

    def add_image(self, block: Block) -> None:
        """Add an image that the model generated."""
        self.images.append(part_to_wire(block, "assistant"))

    def add_audio(self, block: Block) -> None:
        """Add generated audio: its provider's id, its transcript, or its data if it has a MIME type but neither."""
        extras = block.get("extras")
        places = [extras if isinstance(extras, Mapping) else {}, block]
        ids = [place.get("id") for place in places]
        # langchain-core generates ids that start with "lc_".
        provider_ids = [item for item in ids if isinstance(item, str) and not item.startswith("lc_")]
        transcript = "".join(map(_transcript_of, places))
        self.transcript += transcript
        if provider_ids:
            self.audio_id = provider_ids[0]
        elif block.get("mime_type") and not transcript:
            self.add_part(part_to_wire(block, "assistant"))

    def add_refusal(self, block: Block) -> None:
        """Add a refusal."""
        if isinstance(refusal := block.get("refusal"), str):
            self.refusal += refusal

    def text_or_parts(self) -> str | list[JSONObject]:
        """Return the text, or the list of parts if some of them are not text."""
        return joined(self.parts, "".join)


def _transcript_of(audio: Any) -> str:
    """Return the transcript of generated audio, or an empty string."""
    transcript = audio.get("transcript") if isinstance(audio, Mapping) else None
    return transcript if isinstance(transcript, str) else ""


_ADDERS: dict[str, Callable[[_Content, Block], None]] = {
    "reasoning": _Content.add_reasoning,
    "thinking": _Content.add_reasoning,
    "tool_call": _Content.add_call,
    "tool_call_chunk": _Content.add_call,
    "invalid_tool_call": _Content.add_call,
    "tool_use": _Content.add_call,
    "function_call": _Content.add_call,
    "image": _Content.add_image,
    "image_url": _Content.add_image,
    "audio": _Content.add_audio,
    "refusal": _Content.add_refusal,
}


_EMPTY = _Content()


def assistant_to_wire(message: AIMessage, messages: Sequence[BaseMessage], position: int) -> WireMessage | None:
    """Return the wire message for `messages[position]`, or None if the message is empty.

    Raises:
        KimiUsageError: A block of the content, or an argument of a call, cannot be sent.
    """
    kwargs = message.additional_kwargs
    content = _read_content(message.content, position) if isinstance(message.content, list) else _EMPTY
    text = message.content if isinstance(message.content, str) else content.text_or_parts()
    wire: WireMessage = {"role": "assistant", "content": text or None}
    if message.name:
        wire["name"] = message.name
    if content is not _EMPTY:
        _add_content(wire, content)
    if kwargs:
        _add_kwargs(wire, kwargs)
    if message.tool_calls or message.invalid_tool_calls or content.calls or kwargs:
        calls = calls_to_wire(message, content.calls, messages, position)
        if calls:
            wire["tool_calls"] = calls
    if _is_blank(wire["content"]):
        refusal = wire.get("refusal") if not wire.get("tool_calls") else None
        spoken = _transcript_of(kwargs.get("audio")) or content.transcript
        wire["content"] = refusal or spoken or wire["content"]
    return None if _is_empty(wire) else wire


def _read_content(blocks: list[Any], position: int) -> _Content:
    content = _Content()
    for index, block in enumerate(blocks):
        try:
            content.add(block)
        except UnfitBlockError as error:
            raise misplaced(f"messages[{position}]", index, error) from error
    return content


def _add_content(wire: WireMessage, content: _Content) -> None:
    if content.refusal:
        wire["refusal"] = content.refusal
    if content.reasoning:
        wire["reasoning"] = "".join(content.reasoning)
    if content.reasoning_details is not None:
        wire["reasoning_details"] = details_to_wire(content.reasoning_details)
    if content.images:
        wire["images"] = content.images
    if content.audio_id:
        wire["audio"] = {"id": content.audio_id}


def _add_kwargs(wire: WireMessage, kwargs: Mapping[str, Any]) -> None:
    """Add the fields stored in `additional_kwargs`, which override those read from the content."""
    _add_reasoning(wire, kwargs)
    if isinstance(refusal := kwargs.get("refusal"), str) and refusal:
        wire["refusal"] = refusal
    if isinstance(images := kwargs.get("images"), list) and images:
        wire["images"] = images
    if isinstance(audio := kwargs.get("audio"), Mapping) and audio.get("id"):
        wire["audio"] = {"id": audio["id"]}
    # File annotations save OpenRouter from parsing (and billing) the same file again. It does not read citations.
    annotations = kwargs.get("annotations")
    files = [item for item in annotations if _is_file(item)] if isinstance(annotations, list) else []
    if files:
        wire["annotations"] = files
    if isinstance(model := kwargs.get("model"), str) and model:
        wire["model"] = model


def _is_file(annotation: Any) -> bool:
    return isinstance(annotation, Mapping) and annotation.get("type") == "file"


def _add_reasoning(wire: WireMessage, kwargs: Mapping[str, Any]) -> None:
    """Add the stored reasoning unchanged.

    Thinking models refuse tool loops whose calls lost their reasoning, and editing or reordering `reasoning_details`
    invalidates their signatures. An empty value is sent too: it means that the model did not think.
    """
    text, details = kwargs.get("reasoning_content"), kwargs.get("reasoning_details")
    if text is None:
        # Messages that the user wrote as dicts in OpenRouter's format have the wire's name for it. ChatOpenAI has an
        # object of the Responses API there.
        text = kwargs.get("reasoning")
        text = text_in(text) or None if isinstance(text, Mapping) else text
    if isinstance(text, str) or isinstance(details, list):
        wire.pop("reasoning", None)
        wire.pop("reasoning_details", None)
    key = kwargs.get("reasoning_key")
    # Reasoning that was received only in the details is sent only in the details, unless they were removed.
    if isinstance(text, str) and not (key == "reasoning_details" and isinstance(details, list)):
        wire["reasoning_content" if key == "reasoning_content" else "reasoning"] = text
    if isinstance(details, list):
        wire["reasoning_details"] = details_to_wire(details)


def _is_empty(wire: WireMessage) -> bool:
    return _is_blank(wire["content"]) and not any(wire.get(key) for key in ("tool_calls", "images", "audio"))


def _is_blank(content: str | list[JSONObject] | None) -> bool:
    """Return whether content has neither text, other than white space, nor media."""
    if isinstance(content, list):
        return all(part.get("type") == "text" and _is_blank(part["text"]) for part in content)
    return not content or content.isspace()
