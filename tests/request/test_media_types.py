import base64

import pytest

from langchain_kimi._request.media_types import detected_type

PAD = bytes(40)
SAMPLES = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff\xe0", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF\x00\x00\x00\x00WEBP", "image/webp"),
    (b"%PDF-1.7", "application/pdf"),
    (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
    (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
    (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
    (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
    (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
    (b"ID3\x04", "audio/mpeg"),
    (b"\xff\xfb\x90", "audio/mpeg"),
]


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(("start", "mime_type"), SAMPLES)
def test_certain_types_are_detected(start: bytes, mime_type: str) -> None:
    data = encoded(start + PAD)
    assert detected_type(data) == mime_type
    assert detected_type(data, mime_type.partition("/")[0]) == mime_type
    assert detected_type(data, "font/") is None
    assert detected_type(f"{data[:8]}\n{data[8:]}") == mime_type


@pytest.mark.parametrize(
    "data",
    [
        "",
        "aW1n",
        "iVBO",
        "!!!!",
        "é" * 40,
        encoded(b"BM" + PAD),
        encoded(b"RIFF\x00\x00\x00\x00AVI "),
        encoded(b"\x00\x00\x00\x18ftypheic"),
        encoded(b"plain text"),
    ],
)
def test_other_data_has_no_detected_type(data: str) -> None:
    assert detected_type(data) is None
