"""Convert image, audio, video and file blocks to wire parts.

Four formats are supported: OpenAI's (`image_url`, `input_audio`, `video_url`, `file`), LangChain's v0 (`source_type`
with `data`, `url` or `id`), LangChain's v1 (`url`, `base64`, `file_id`) and Anthropic's (a nested `source`). Each
function returns a new part and raises `UnfitBlockError` if the block lacks required data. Only the keys of the wire's
schema are sent, because hosts refuse others.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi._request.blocks import Block
from langchain_kimi._request.media_types import detected_type

WEB = ("http://", "https://", "data:")
"""The beginnings of URLs that hosts can read."""


class UnfitBlockError(Exception):
    """A block cannot be sent. The text gives the reason; the caller adds the block's position."""


class Source(NamedTuple):
    """The data of a block, or its location. At most one of `url`, `base64`, `file_id` and `text` is set."""

    url: str | None = None
    base64: str | None = None
    file_id: str | None = None
    text: str | None = None
    mime_type: str | None = None


# By the value of `source_type` (or of Anthropic's `source.type`): the key of the data, and the field of `Source`.
_LANGCHAIN_V0 = {
    "base64": ("data", "base64"),
    "url": ("url", "url"),
    "id": ("id", "file_id"),
    "text": ("text", "text"),
}
_ANTHROPIC = {
    "base64": ("data", "base64"),
    "url": ("url", "url"),
    "file": ("file_id", "file_id"),
    "text": ("data", "text"),
}

_AUDIO_FORMATS = {
    "mpeg": "mp3",
    "mpeg3": "mp3",
    "wave": "wav",
    "vnd.wave": "wav",
    "mp4": "m4a",
    "aif": "aiff",
    "l16": "pcm16",
    "l24": "pcm24",
}
"""Subtypes of `audio/…` that have another name on the wire."""
_FAMILIES = frozenset({"image", "audio", "video"})
"""Types of blocks whose data has a MIME type that begins with the same word."""


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def read_source(block: Block) -> Source:
    """Return a block's data, from any of the four formats."""
    if isinstance(source := block.get("source"), Mapping):
        return _tagged(source, source.get("type"), _ANTHROPIC, source.get("media_type"))
    if (source_type := block.get("source_type")) is not None:
        return _tagged(block, source_type, _LANGCHAIN_V0, block.get("mime_type"))
    for key in ("url", "base64", "file_id", "text"):
        if value := _string(block.get(key)):
            return Source(**{key: value}, mime_type=_string(block.get("mime_type")))
    if mime_type := _string(block.get("mimeType")):
        # The content of MCP's results, as a tool returns it that calls a server without LangChain's adapters.
        return Source(base64=_string(block.get("data")), mime_type=mime_type)
    return Source()


def _tagged(source: Block, tag: Any, keys: Mapping[str, tuple[str, str]], mime_type: Any) -> Source:
    if not isinstance(tag, str) or tag not in keys:
        raise UnfitBlockError(f"the source type {tag!r} is not one of {', '.join(keys)}")
    key, field = keys[tag]
    value = _string(source.get(key))
    if value is None:
        raise UnfitBlockError(f"a source of type {tag!r} needs {key!r}")
    return Source(**{field: value}, mime_type=_string(mime_type))


def _location(block: Block, source: Source) -> str:
    """Return the block's URL. Base64 data becomes a `data:` URL."""
    if source.url:
        return source.url
    if source.base64:
        return f"data:{_mime_type(block, source.base64, source.mime_type)};base64,{source.base64}"
    if source.file_id:
        raise UnfitBlockError(f"a block of type {block['type']!r} cannot be sent by file id, only by url or base64")
    raise UnfitBlockError(f"a block of type {block['type']!r} needs 'url' or 'base64'")


def _mime_type(block: Block, data: str, mime_type: str | None) -> str:
    """Return the MIME type of base64 data; if the block does not name it, it is detected from the first bytes.

    Raises:
        UnfitBlockError: The type is missing and cannot be detected.
    """
    kind = block["type"]
    detected = mime_type or detected_type(data, f"{kind}/" if kind in _FAMILIES else "")
    if detected is None:
        raise UnfitBlockError(f"base64 data in a block of type {kind!r} needs its 'mime_type'")
    return detected


def _detail(block: Block) -> str | None:
    """Return the `detail` of an image from its block or from `extras`, where langchain-core moves unknown keys."""
    extras = block.get("extras")
    return _string(block.get("detail")) or (_string(extras.get("detail")) if isinstance(extras, Mapping) else None)


def image_part(block: Block) -> JSONObject:
    """Convert an `image` block of LangChain or Anthropic."""
    return _image(_location(block, read_source(block)), _detail(block))


def with_mime_type(block: Block) -> dict[str, Any]:
    """Return an `image` block in base64 with its MIME type.

    Raises:
        UnfitBlockError: The block has no MIME type, and it cannot be detected.
    """
    source = read_source(block)
    return {**block, "mime_type": _mime_type(block, source.base64 or "", source.mime_type)}


_NORMALIZED = {"url": "url", "base64": "data", "id": "id", "text": "url"}
"""By the `source_type` of a block in LangChain's v0 form: the key that langchain-core reads."""


def lacks_key(block: Block) -> bool:
    """Return whether langchain-core raises a `KeyError` for a block in its v0 form (`_normalize_messages`)."""
    source_type, kind = block.get("source_type"), block.get("type")
    if not isinstance(source_type, str) or source_type not in _NORMALIZED or _NORMALIZED[source_type] in block:
        return False
    return kind == "file" or (kind in ("image", "audio") and source_type != "text")


def without_source_type(block: Block) -> dict[str, Any]:
    """Return a block in LangChain's v1 form if its data is under the key of that form.

    These blocks have a `source_type` of the v0 form beside `base64` or `text`. langchain-anthropic reads such texts.

    Raises:
        UnfitBlockError: The data is missing.
    """
    source_type = block["source_type"]
    if source_type not in ("base64", "text") or not _string(block.get(source_type)):
        raise UnfitBlockError(f"a source of type {source_type!r} needs {_NORMALIZED[source_type]!r}")
    changed = {name: value for name, value in block.items() if name != "source_type"}
    return {**changed, "type": "text-plain"} if source_type == "text" else changed


def image_url_part(block: Block) -> JSONObject:
    """Convert OpenAI's `image_url` or `input_image` block. Its value may be an object or just the URL."""
    url, value = _nested_url(block, "image_url")
    return _image(url, _string(value.get("detail")) or _detail(block))


def _image(url: str, detail: str | None) -> JSONObject:
    return {"type": "image_url", "image_url": {"url": url, "detail": detail} if detail else {"url": url}}


def _nested_url(block: Block, key: str) -> tuple[str, Block]:
    value = block.get(key)
    media = value if isinstance(value, Mapping) else {"url": value}
    url = _string(media.get("url"))
    if url is None:
        raise UnfitBlockError(f"a block of type {block['type']!r} needs '{key}.url'")
    return url, media


def video_part(block: Block) -> JSONObject:
    """Convert LangChain's `video` block."""
    return {"type": "video_url", "video_url": {"url": _location(block, read_source(block))}}


def video_url_part(block: Block) -> JSONObject:
    """Convert a `video_url` block, or an `input_video` block, which is the older name."""
    url, value = _nested_url(block, "video_url")
    processing = _string(value.get("processing"))
    return {"type": "video_url", "video_url": {"url": url, **({"processing": processing} if processing else {})}}


def audio_part(block: Block) -> JSONObject:
    """Convert LangChain's `audio` block. The wire accepts base64 only, with a format instead of a MIME type."""
    source = read_source(block)
    data, mime_type = source.base64, source.mime_type
    if source.url and source.url.startswith("data:"):
        header, _, data = source.url.partition(";base64,")
        mime_type = header.removeprefix("data:")
    if not data:
        raise UnfitBlockError("a block of type 'audio' needs 'base64': audio cannot be sent by url or file id")
    subtype = _mime_type(block, data, mime_type).partition(";")[0].strip().lower().rpartition("/")[2].removeprefix("x-")
    return _audio(data, _AUDIO_FORMATS.get(subtype, subtype))


def input_audio_part(block: Block) -> JSONObject:
    """Convert OpenAI's `input_audio` block."""
    value = block.get("input_audio")
    audio = value if isinstance(value, Mapping) else {}
    data, audio_format = _string(audio.get("data")), _string(audio.get("format"))
    if data is None or audio_format is None:
        raise UnfitBlockError("a block of type 'input_audio' needs 'input_audio.data' and 'input_audio.format'")
    return _audio(data, audio_format)


def _audio(data: str, audio_format: str) -> JSONObject:
    return {"type": "input_audio", "input_audio": {"data": data, "format": audio_format}}


def file_part(block: Block) -> JSONObject:
    """Convert a `file` block of OpenAI or LangChain, or Anthropic's `document`, unless it contains plain text."""
    if isinstance(value := block.get("file"), Mapping):
        file = {key: text for key in ("filename", "file_data", "file_id") if (text := _string(value.get(key)))}
        if not file.keys() & {"file_data", "file_id"}:
            raise UnfitBlockError("a block of type 'file' needs 'file.file_data' or 'file.file_id'")
        return {"type": "file", "file": file}
    source = read_source(block)
    data = {"file_id": source.file_id} if source.file_id else {"file_data": _location(block, source)}
    filename = _filename(block)
    return {"type": "file", "file": {"filename": filename, **data} if filename else data}


def input_file_part(block: Block) -> JSONObject:
    """Convert an `input_file` block of OpenAI's Responses API."""
    data = _string(block.get("file_data")) or _string(block.get("file_url"))
    file = {"filename": block.get("filename"), "file_data": data, "file_id": block.get("file_id")}
    return file_part({"type": "file", "file": file})


def _filename(block: Block) -> str | None:
    """Return the file name of a block from any of the places where LangChain stores it."""
    extras = block.get("extras")
    places = [block, extras, block.get("metadata"), extras.get("metadata") if isinstance(extras, Mapping) else None]
    names = (
        _string(place.get(key))
        for place in places
        if isinstance(place, Mapping)
        for key in ("filename", "name", "title", "file_filename")
    )
    return next(filter(None, names), None)


MEDIA_PARTS: dict[str, Callable[[Block], JSONObject]] = {
    "image": image_part,
    "image_url": image_url_part,
    "input_image": image_url_part,
    "audio": audio_part,
    "input_audio": input_audio_part,
    "video": video_part,
    "video_url": video_url_part,
    "input_video": video_url_part,
}
"""The converters of blocks, by the block's `type`. Those of files are in `content`, because some contain text."""
