"""Detect a missing MIME type of base64 data from its first bytes."""

import base64
import binascii

_ENCODED_LENGTH = 32
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    # MPEG audio, layer III, without an ID3 tag.
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
)
_RIFF_TYPES = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_MP4_BRANDS = {
    **dict.fromkeys(
        (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV"), "video/mp4"
    ),
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
"""The types of ISO media files, by their major brand. Brands of images, such as HEIC, are not listed."""


def detected_type(data: str, family: str = "") -> str | None:
    """Return the MIME type of base64 data if it is certain, otherwise None.

    Args:
        data: The data in base64, possibly with line breaks.
        family: The required beginning of the type, such as `image/`; "" accepts any type.
    """
    start = "".join(data[: 2 * _ENCODED_LENGTH].split())[:_ENCODED_LENGTH]
    try:
        mime_type = _type_of(base64.b64decode(start[: len(start) // 4 * 4], validate=True))
    except (binascii.Error, ValueError):
        return None
    return mime_type if mime_type and mime_type.startswith(family) else None


def _type_of(start: bytes) -> str | None:
    if start[:4] == b"RIFF":
        return _RIFF_TYPES.get(start[8:12])
    if start[4:8] == b"ftyp":
        return _MP4_BRANDS.get(start[8:12])
    return next((mime_type for signature, mime_type in _SIGNATURES if start.startswith(signature)), None)
