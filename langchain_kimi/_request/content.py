"""A message's content as the wire's: one string where it is all text, a list of parts otherwise.

Many hosts take a string only, so text in a list is joined. A newline goes between two blocks that would otherwise be
glued together (neither side has white space there): blocks of a user, a system prompt or a tool are separate items,
and two results "1" and "2" must not become "12". Text with a cache marker stays a part of its own, in a list.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._request.media import MEDIA_PARTS, Block, Source, UnfitBlockError, file_part, read_source
from langchain_kimi.errors import KimiUsageError

_MARKERS = ("cache_control", "prompt_cache_breakpoint")
_UNMARKED = len(("type", "text"))


def text_part(block: Block) -> JSONObject:
    """Convert a `text` block."""
    text = block.get("text")
    if not isinstance(text, str):
        raise UnfitBlockError("a block of type 'text' needs 'text'")
    return {"type": "text", "text": text}


def _marked(part: JSONObject, block: Block) -> JSONObject:
    """Keep the cache markers of a block on its part, also those that langchain-core moved to `extras`.

    OpenRouter documents them for text; a recorded request has one beside an image, and it was accepted.
    """
    extras = block.get("extras")
    for marker in _MARKERS:
        value = block.get(marker) or (extras.get(marker) if isinstance(extras, Mapping) else None)
        if value:
            part[marker] = value
    return part


def document_part(block: Block) -> JSONObject:
    """Convert a `text-plain`, `file` or `document` block: plain text becomes a text part, headed by title and context.

    Plain text is not sent as a file, because a file needs a model, or a parser, that reads files.
    """
    source = read_source(block)
    text = source.text
    if source.base64 and block["type"] == "text-plain":
        text = _decoded(source.base64)
    if text is None and block["type"] == "text-plain" and source == Source():
        raise UnfitBlockError("a block of type 'text-plain' needs 'text', 'base64' or 'url'")
    if text is None:
        return file_part(block)
    headed = [block.get("title"), block.get("context"), text]
    return _marked({"type": "text", "text": "\n".join(line for line in headed if isinstance(line, str))}, block)


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnfitBlockError(f"plain text in base64 must be UTF-8: {error}") from error


def json_part(block: Block) -> JSONObject:
    """Convert a `json` block, which tools may return, into its text."""
    try:
        return _marked({"type": "text", "text": json.dumps(block["json"], ensure_ascii=False)}, block)
    except (KeyError, TypeError, ValueError) as error:
        raise UnfitBlockError("a block of type 'json' needs 'json' with a JSON value") from error


def search_result_part(block: Block) -> JSONObject:
    """Convert a `search_result` block, which tools may return: title, source and texts, one below the other."""
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
PARTS = {**_TEXT_PARTS, **MEDIA_PARTS, "file": document_part, "document": document_part}
"""What converts a block, by the block's `type`."""

_PARTS_BY_ROLE = {"system": _TEXT_PARTS, "developer": _TEXT_PARTS}


def part_to_wire(block: str | Block, role: str) -> JSONObject:
    """Convert one block of a system, developer, user or tool message.

    A `non_standard` block holds another block; if that one's type is unknown here it is sent as it is, which is the
    way to send what the wire learned later.

    Raises:
        UnfitBlockError: The type has no place in this role's messages, or data is missing.
    """
    if isinstance(block, str):
        return {"type": "text", "text": block}
    parts = _PARTS_BY_ROLE.get(role, PARTS)
    kind = block.get("type")
    if kind == "non_standard":
        inner = non_standard_value(block)
        return part_to_wire(inner, role) if inner.get("type") in parts else dict(inner)
    if kind not in parts:
        raise unknown_type(kind, role, parts)
    return _marked(parts[kind](block), block)


def non_standard_value(block: Block) -> Block:
    """Unwrap a `non_standard` block."""
    value = block.get("value")
    if not isinstance(value, Mapping):
        raise UnfitBlockError("a block of type 'non_standard' needs an object as its 'value'")
    return value


def unknown_type(kind: Any, role: str, accepted: Iterable[str]) -> UnfitBlockError:
    """Say that a type of block has no place in a role's messages, and which types have."""
    what = f"a block of type {kind!r}" if kind else "a block without a type"
    known = ", ".join(sorted(accepted))
    return UnfitBlockError(f"{what} cannot be sent in a message of role {role!r}; accepted are {known}")


def content_to_wire(content: str | list[Any], role: str, place: str) -> str | list[JSONObject]:
    """Convert the content of a system, developer, user or tool message.

    Args:
        content: A string or a list of strings and blocks; never changed.
        role: The wire's role, which decides the types of block that are accepted.
        place: Where the content stands, such as `messages[3]`, for the text of an error.

    Raises:
        KimiUsageError: A block cannot be sent.
    """
    if isinstance(content, str):
        return content
    parts: list[JSONObject] = []
    for index, block in enumerate(content):
        try:
            parts.append(part_to_wire(block, role))
        except UnfitBlockError as error:
            raise misplaced(place, index, error) from error
    return joined(parts, _separated)


def misplaced(place: str, index: int, error: UnfitBlockError) -> KimiUsageError:
    """Say where an unfit block stands."""
    return KimiUsageError(f"{place}.content[{index}]: {error}.")


def joined(parts: list[JSONObject], join: Callable[[list[str]], str]) -> str | list[JSONObject]:
    """Flatten parts that are all plain text into one string; empty texts are left out, since hosts refuse them."""
    filled = [part for part in parts if part != {"type": "text", "text": ""}]
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
