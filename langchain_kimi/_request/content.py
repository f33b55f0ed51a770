"""Convert message content to wire content: a string if all of it is text, otherwise a list of parts.

Many hosts accept only a string, so lists of texts are joined. Texts without white space between them are separated by
a newline: the blocks of a user, a system prompt or a tool are separate items, and the results "1" and "2" must not
become "12". Text with a cache marker stays a separate part.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeGuard

from langchain_core.messages import BaseMessage

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._request.blocks import Block, type_of
from langchain_kimi._request.media import (
    MEDIA_PARTS,
    WEB,
    Source,
    UnfitBlockError,
    file_part,
    input_file_part,
    lacks_key,
    read_source,
    with_mime_type,
    without_source_type,
)
from langchain_kimi._request.unknown import log_left_out, text_in
from langchain_kimi.errors import KimiUsageError

_MARKERS = ("cache_control", "prompt_cache_breakpoint")
_UNMARKED = len(("type", "text"))


def text_part(block: Block) -> JSONObject:
    """Convert a `text` block whose text is a string."""
    return {"type": "text", "text": block["text"]}


def _marked(part: JSONObject, block: Block) -> JSONObject:
    """Copy the cache markers of a block to its part, including those that langchain-core moved to `extras`.

    OpenRouter documents them for text. A recorded request had one on an image, and it was accepted.
    """
    extras = block.get("extras")
    for marker in _MARKERS:
        value = block.get(marker) or (extras.get(marker) if isinstance(extras, Mapping) else None)
        if value:
            part[marker] = value
    return part


def document_part(block: Block) -> JSONObject:
    """Convert a `text-plain`, `file` or `document` block.

    Plain text becomes a text part that begins with the block's title and context. It is not sent as a file, because
    files need a model or a parser that reads them.
    """
    source = _source_of_document(block)
    text = source.text
    if source.base64 and block["type"] == "text-plain":
        text = _decoded(source.base64)
    if text is None and block["type"] == "text-plain" and source == Source():
        raise UnfitBlockError("a block of type 'text-plain' needs 'text', 'base64' or 'url'")
    if text is None:
        return file_part(block)
    lines = [block.get("title"), block.get("context"), text]
    return _marked({"type": "text", "text": "\n".join(line for line in lines if isinstance(line, str))}, block)


def _source_of_document(block: Block) -> Source:
    """Return the data of a document. The texts of Anthropic's documents that consist of blocks are joined."""
    source = block.get("source")
    if isinstance(source, Mapping) and source.get("type") == "content":
        return Source(text=text_in({"content": source.get("content")}))
    return read_source(block)


def media_part(block: Block) -> JSONObject:
    """Convert Google's `media` block: data or an address of any type."""
    mime_type, data = block.get("mime_type"), block.get("data")
    family = mime_type.partition("/")[0] if isinstance(mime_type, str) else ""
    encoded = base64.b64encode(data).decode() if isinstance(data, bytes) else data
    kind = family if family in MEDIA_PARTS else "file"
    return PARTS[kind]({"type": kind, "base64": encoded, "url": block.get("file_uri"), "mime_type": mime_type})


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnfitBlockError(f"plain text in base64 must be UTF-8: {error}") from error


def json_part(block: Block) -> JSONObject:
    """Convert a `json` block, which tools may return, to a text part."""
    try:
        return _marked({"type": "text", "text": json.dumps(block["json"], ensure_ascii=False)}, block)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UnfitBlockError("a block of type 'json' needs 'json' with a JSON value") from error


def search_result_part(block: Block) -> JSONObject:
    """Convert a `search_result` block, which tools may return: title, source and texts, one per line."""
    content = block.get("content")
    texts = [item.get("text") for item in content if isinstance(item, Mapping)] if isinstance(content, list) else []
    lines = [line for line in (block.get("title"), block.get("source"), *texts) if isinstance(line, str)]
    if not lines:
        raise UnfitBlockError("a block of type 'search_result' needs 'title', 'source' or 'content'")
    return _marked({"type": "text", "text": "\n".join(lines)}, block)


_TEXT_PARTS: dict[str, Callable[[Block], JSONObject]] = {
    "text": text_part,
    "text-plain": document_part,
    "json": json_part,
    "search_result": search_result_part,
}
PARTS = {
    **_TEXT_PARTS,
    **MEDIA_PARTS,
    "file": document_part,
    "document": document_part,
    "input_file": input_file_part,
}
"""The converters of blocks, by the block's `type`."""


def _link_part(block: Block) -> JSONObject | None:
    """Return a text part with the URL of a block that a host cannot read; None for a block that it can read.

    Tools of MCP servers return links to their resources, such as `file:///notes.txt` or `memo://1`, which only the
    tools of the agent can read. A host can read images and PDF documents on the web, but neither pages nor SVG.
    """
    if isinstance(block.get("file"), Mapping):
        return None
    source = read_source(block)
    if not source.url or (source.url.startswith(WEB) and _is_readable(block, source.url, source.mime_type)):
        return None
    kind = f" ({source.mime_type})" if source.mime_type else ""
    return {"type": "text", "text": f"{source.url}{kind}"}


def _is_readable(block: Block, url: str, mime_type: str | None) -> bool:
    if block["type"] == "image":
        return mime_type != _SVG
    if mime_type is None:
        # MCP servers may omit the type of a link, and most links lead to pages.
        return url.startswith("data:") or url.partition("?")[0].partition("#")[0].lower().endswith(".pdf")
    return mime_type == "application/pdf"


def _result_image(block: Block) -> JSONObject:
    """Convert an `image` block of a tool's result. SVG is sent as text, because hosts accept only raster images."""
    if link := _link_part(block):
        return link
    source = read_source(block)
    return _text_of(source, _SVG) or MEDIA_PARTS["image"](block)


def _result_file(block: Block) -> JSONObject:
    """Convert a `file` block of a tool's result. Text in base64 is sent as text."""
    if link := _link_part(block):
        return link
    source = Source() if isinstance(block.get("file"), Mapping) else read_source(block)
    return _text_of(source, *_TEXT_TYPES) or document_part(block)


def _text_of(source: Source, *types: str) -> JSONObject | None:
    """Return base64 data of these MIME types as text, or None."""
    if source.base64 and (source.mime_type or "").startswith(types):
        with suppress(UnfitBlockError):
            return {"type": "text", "text": _decoded(source.base64)}
    return None


def _found_item(block: Block) -> JSONObject:
    """Convert a `search_result` block of a tool's result. Without Anthropic's list of blocks, it is an object."""
    return search_result_part(block) if isinstance(block.get("content"), list) else _object_part(block)


def _or_object(convert: Callable[[Block], JSONObject]) -> Callable[[Block], JSONObject]:
    """Return a converter that sends a block without data as JSON.

    Tools return lists of objects such as `{"type": "file", "name": "a.txt"}`. langchain-core takes them for content
    blocks, because their types have the same names.
    """

    def converted(block: Block) -> JSONObject:
        try:
            return convert(block)
        except UnfitBlockError:
            if _has_data(block):
                raise
            return _object_part(block)

    return converted


def _has_data(block: Block) -> bool:
    """Return whether a block contains media, or refers to them, in a form of a provider or LangChain."""
    return (
        "source_type" in block
        or any(isinstance(block.get(key), str | bytes) for key in ("base64", "data", "file_data"))
        or any(isinstance(block.get(key), Mapping) for key in ("source", "file", "input_audio"))
    )


_SVG = "image/svg+xml"
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/yaml")
_BEDROCK = ({"text"}, {"image"}, {"document"}, {"video"})
"""The keys of Bedrock's blocks in a tool's result, which have no type."""
_RESULT_PARTS = {
    **PARTS,
    "media": media_part,
    "image": _result_image,
    "file": _result_file,
    "search_result": _found_item,
}
_PARTS_BY_ROLE = {
    "system": _TEXT_PARTS,
    "developer": _TEXT_PARTS,
    "user": {**PARTS, "media": media_part},
    "tool": {kind: _or_object(convert) for kind, convert in _RESULT_PARTS.items()},
}


def part_to_wire(block: str | Block | None, role: str) -> JSONObject:
    """Return the wire part for one block of a system, developer, user or tool message.

    A `non_standard` block contains another block. If the type of that block is unknown here, the block is sent
    unchanged, so that users can send block types that are newer than this package. Of any other unknown block only the
    text is sent, which may be empty.

    Raises:
        UnfitBlockError: A system or developer message contains media, or data is missing.
    """
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, Mapping):
        # Code that assigns to `content` can put None there, which LangChain checks only in constructors.
        block = {"type": "text", "text": block}
    parts = _PARTS_BY_ROLE.get(role, PARTS)
    kind = type_of(block)
    if kind == "non_standard":
        inner = non_standard_value(block)
        inner_kind = type_of(inner)
        if inner_kind in parts:
            return part_to_wire(inner, role)
        if inner_kind is not None:
            return dict(inner)
        block = inner
    has_text = kind != "text" or isinstance(block.get("text"), str)
    if kind in parts and has_text:
        return _marked(parts[kind](block), block)
    if kind in PARTS and has_text:
        raise _not_text(kind, role, parts)
    if role == "tool" and _is_object(block, kind):
        return _object_part(block)
    log_left_out(block, role)
    return _marked({"type": "text", "text": text_in(block)}, block)


def _is_object(block: Block, kind: str | None) -> bool:
    """Return whether an entry of a tool's result is not a block but an object of the tool."""
    return set(block) not in _BEDROCK if kind is None else kind == "text" and "text" not in block and len(block) > 1


def _object_part(value: Mapping[Any, Any]) -> JSONObject:
    """Return a text part with an object as JSON, for a tool's result that is a list of objects instead of blocks."""
    try:
        return {"type": "text", "text": json.dumps(dict(value), ensure_ascii=False, default=str)}
    except (TypeError, ValueError, RecursionError) as error:
        raise UnfitBlockError(f"an object in a tool's result must be JSON: {error}") from error


def non_standard_value(block: Block) -> Block:
    """Return the block inside a `non_standard` block; any other value becomes the text of a block without a type."""
    value = block.get("value")
    return value if isinstance(value, Mapping) else {"text": value}


def _not_text(kind: str, role: str, accepted: Iterable[str]) -> UnfitBlockError:
    types = ", ".join(sorted(accepted))
    return UnfitBlockError(
        f"a block of type {kind!r} cannot be sent in a message of role {role!r}; accepted types: {types}"
    )


def content_to_wire(content: str | list[Any] | None, role: str, place: str) -> str | list[JSONObject]:
    """Return the wire content of a system, developer, user or tool message.

    Args:
        content: A string, or a list of strings and blocks, or None for no content. It is not modified.
        role: The wire role, which determines the accepted types of blocks.
        place: The position of the message, such as `messages[3]`, for error texts.

    Raises:
        KimiUsageError: A block cannot be sent.
    """
    if isinstance(content, str) or content is None:
        return content or ""
    parts: list[JSONObject] = []
    for index, block in enumerate(content):
        try:
            parts.append(part_to_wire(block, role))
        except UnfitBlockError as error:
            raise misplaced(place, index, error) from error
    return joined(parts, _separated)


def with_image_types(messages: Sequence[BaseMessage]) -> list[BaseMessage] | None:
    """Return the messages with the detected MIME types of images in base64, or None if no type is missing.

    Without a MIME type langchain-core raises a `ValueError` before the messages reach a chat model (its
    `_format_for_tracing`). It also fails for an `image` with a text instead of data, such as an object in a tool's
    result, which becomes text, and for blocks in its v0 form without their key.

    Raises:
        KimiUsageError: The type of an image cannot be detected, or the data of a block is missing.
    """
    # Most conversations are text. The type check keeps this pass short.
    lists = [message.content for message in messages if type(message.content) is list]
    if not any(_is_refused(block) for content in lists for block in content):
        return None
    return [_with_image_types(message, f"messages[{position}]") for position, message in enumerate(messages)]


def _with_image_types(message: BaseMessage, place: str) -> BaseMessage:
    content = message.content
    if not isinstance(content, list) or not any(map(_is_refused, content)):
        return message
    blocks: list[Any] = []
    for index, block in enumerate(content):
        try:
            blocks.append(_readable(block, message.type) if _is_refused(block) else block)
        except UnfitBlockError as error:
            raise misplaced(place, index, error) from error
    return message.model_copy(update={"content": blocks})


def _is_refused(block: Any) -> TypeGuard[Block]:
    """Return whether langchain-core refuses a block.

    It refuses blocks in its v0 form whose data is missing or in the key of the v1 form, images in base64 without a MIME
    type, and images with a text alone.
    """
    if not isinstance(block, Mapping) or lacks_key(block):
        return isinstance(block, Mapping)
    if block.get("type") != "image" or "url" in block:
        return False
    if "base64" in block or block.get("source_type") == "base64":
        return not block.get("mime_type")
    return "text" in block and "file_id" not in block and block.get("source_type") != "id"


def _readable(block: Block, role: str) -> Block:
    if lacks_key(block):
        block = without_source_type(block)
        return _readable(block, role) if _is_refused(block) else block
    is_base64 = "base64" in block or block.get("source_type") == "base64"
    return with_mime_type(block) if is_base64 else part_to_wire(block, role)


def misplaced(place: str, index: int, error: UnfitBlockError) -> KimiUsageError:
    """Return the error for a block that cannot be sent, with its position."""
    return KimiUsageError(f"{place}.content[{index}]: {error}.")


def joined(parts: list[JSONObject], join: Callable[[list[str]], str]) -> str | list[JSONObject]:
    """Return the joined text if all parts are plain text, otherwise the parts.

    Empty texts are left out, because hosts refuse them, also with a cache marker.
    """
    filled = [part for part in parts if part.get("type") != "text" or part["text"] != ""]
    if all(part.get("type") == "text" and len(part) == _UNMARKED for part in filled):
        return join([part["text"] for part in filled])
    return filled


def _separated(texts: list[str]) -> str:
    pieces: list[str] = []
    for text in texts:
        if pieces and not pieces[-1][-1].isspace() and not text[0].isspace():
            pieces.append("\n")
        pieces.append(text)
    return "".join(pieces)
