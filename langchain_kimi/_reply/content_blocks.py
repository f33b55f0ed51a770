"""Translate messages and chunks to LangChain's typed content blocks.

langchain-core looks up a translator by the message's `model_provider`. Without a translator it numbers the blocks of a
v1 stream itself. The index of a tool call can then equal that of an earlier text or reasoning block: the two are merged
and the call is lost. Here every block has a distinct index (`lc_rs`, `lc_txt`, `lc_tc_<n>` and so on).
"""

from contextlib import suppress
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, content

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._reply.messages import PROVIDER, thoughts_in
from langchain_kimi._reply.server_tools import server_tool_blocks

INDICES = {"reasoning": "lc_rs", "text": "lc_txt", "refusal": "lc_rf", "non_standard": "lc_rf", "audio": "lc_au"}
"""The index of each type of block that occurs at most once in a message. A refusal may be a non-standard block."""

KNOWS_REFUSALS = "refusal" in content.KNOWN_BLOCK_TYPES
"""Whether langchain-core has refusal blocks (since 1.7.3). Before, a refusal is a non-standard block."""


def register() -> None:
    """Register the translator with langchain-core, unless langchain-core has one for the provider.

    If langchain-core does not have these functions, it translates the messages itself.
    """
    with suppress(ImportError):
        from langchain_core.messages.block_translators import (  # noqa: PLC0415 - the guard is around it
            get_translator,
            register_translator,
        )

        if get_translator(PROVIDER) is None:
            register_translator(PROVIDER, blocks_of_message, blocks_of_chunk)


def blocks_of_message(message: AIMessage) -> list[content.ContentBlock]:
    """Return the blocks of a message: reasoning, server tools, text with citations, refusal, media, tool calls.

    Raises:
        NotImplementedError: The content is a list, which this package does not create. langchain-core handles it then.
    """
    blocks = _blocks(message)
    for block in blocks:
        if block["type"] == "reasoning" and not block["reasoning"]:
            # Other chat models store only the details.
            block["reasoning"] = thoughts_in(message.additional_kwargs.get("reasoning_details"))
    return cast("list[content.ContentBlock]", [*blocks, *_calls(message)])


def blocks_of_chunk(chunk: AIMessageChunk) -> list[content.ContentBlock]:
    """Return the blocks of a chunk, or of a sum of chunks, with the indices by which LangChain merges them."""
    blocks = _blocks(chunk)
    for position, block in enumerate(blocks):
        block["index"] = INDICES.get(block["type"], f"lc_im_{position}")
    if chunk.chunk_position == "last":
        return cast("list[content.ContentBlock]", [*blocks, *_calls(chunk)])
    return cast("list[content.ContentBlock]", [*blocks, *_call_chunks(chunk)])


def _blocks(message: AIMessage) -> list[JSONObject]:
    """Return the blocks of a message except its tool calls.

    Hosts may send any JSON value in a field. Values of another form than the documented one have no block, but they
    stay in `additional_kwargs`.
    """
    if not isinstance(message.content, str):
        raise NotImplementedError
    kwargs = message.additional_kwargs
    blocks = []
    if "reasoning_content" in kwargs or kwargs.get("reasoning_details"):
        blocks.append(reasoning := _reasoning(kwargs))
        if "extras" in reasoning:
            blocks += server_tool_blocks(kwargs["reasoning_details"])
    annotations = _objects(kwargs.get("annotations"))
    if message.content or annotations:
        blocks.append(_text(message.content, annotations))
    if kwargs.get("refusal"):
        blocks.append(_refusal(kwargs["refusal"]))
    blocks += map(_image, _objects(kwargs.get("images")))
    if isinstance(audio := kwargs.get("audio"), dict) and audio:
        blocks.append(_audio(audio))
    return blocks


def _objects(items: Any) -> list[JSONObject]:
    """Return the objects in a list; none for any other value."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _reasoning(kwargs: dict[str, Any]) -> JSONObject:
    details = kwargs.get("reasoning_details")
    block: JSONObject = {"type": "reasoning", "reasoning": kwargs.get("reasoning_content") or ""}
    if details is not None:
        block["extras"] = {"reasoning_details": details}
    return block


def _text(text: str, annotations: list[JSONObject]) -> JSONObject:
    block: JSONObject = {"type": "text", "text": text}
    if annotations:
        block["annotations"] = [_annotation(annotation) for annotation in annotations]
    return block


def _annotation(annotation: JSONObject) -> JSONObject:
    """Return a citation for a cited web page; any other annotation as non-standard."""
    cited = annotation.get("url_citation")
    if annotation.get("type") != "url_citation" or not isinstance(cited, dict):
        return {"type": "non_standard_annotation", "value": annotation}
    names = {
        "url": "url",
        "title": "title",
        "start_index": "start_index",
        "end_index": "end_index",
        "content": "cited_text",
    }
    citation = {ours: cited[theirs] for theirs, ours in names.items() if cited.get(theirs) not in (None, "")}
    if not _is_span(citation.get("start_index"), citation.get("end_index")):
        # Recorded: providers that do not report the cited part of the answer send 0 and 0.
        citation.pop("start_index", None)
        citation.pop("end_index", None)
    rest = {key: value for key, value in cited.items() if key not in names}
    return {"type": "citation", **citation, **({"extras": rest} if rest else {})}


def _is_span(start: object, end: object) -> bool:
    return isinstance(start, int) and isinstance(end, int) and 0 <= start < end


def _refusal(refusal: str) -> JSONObject:
    block = {"type": "refusal", "refusal": refusal}
    return block if KNOWS_REFUSALS else {"type": "non_standard", "value": block}


def _image(image: JSONObject) -> JSONObject:
    """Return the block of an image, whose URL may be inside an object or by itself."""
    location = image.get("image_url")
    url = location.get("url") if isinstance(location, dict) else location
    return {"type": "image", **_source(str(url or ""))}


def _audio(audio: JSONObject) -> JSONObject:
    extras = {key: value for key, value in audio.items() if key != "data"}
    return {"type": "audio", "base64": audio.get("data") or "", "extras": extras}


def _source(url: str) -> JSONObject:
    head, comma, data = url.partition(",")
    if url.startswith("data:") and comma and head.endswith(";base64"):
        return {"base64": data, "mime_type": head.removeprefix("data:").removesuffix(";base64")}
    return {"url": url}


def _calls(message: AIMessage) -> list[JSONObject]:
    valid = [
        {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
        for call in message.tool_calls
    ]
    return [*valid, *[cast("JSONObject", {**call, "type": "invalid_tool_call"}) for call in message.invalid_tool_calls]]


def _call_chunks(chunk: AIMessageChunk) -> list[JSONObject]:
    return [
        {
            "type": "tool_call_chunk",
            "id": call["id"],
            "name": call["name"],
            "args": call["args"],
            "index": f"lc_tc_{call['index']}",
        }
        for call in chunk.tool_call_chunks
    ]
