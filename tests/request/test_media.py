import json
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_kimi._request.content import content_to_wire
from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi.errors import KimiUsageError

URL = "https://images.test/a.png"
PNG_URL = "data:image/png;base64,aW1n"
PNG_DATA = "iVBORw0KGgoAAAAN"
PNG_DATA_URL = f"data:image/png;base64,{PNG_DATA}"
IMAGE = {"type": "image_url", "image_url": {"url": URL}}
PNG = {"type": "image_url", "image_url": {"url": PNG_URL}}
WAV = {"type": "input_audio", "input_audio": {"data": "c25k", "format": "wav"}}
VIDEO = {"type": "video_url", "video_url": {"url": "https://images.test/a.mp4"}}
MP4 = {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,bXA0"}}
PDF_URL = "data:application/pdf;base64,cGRm"
PDF = {"type": "file", "file": {"filename": "a.pdf", "file_data": PDF_URL}}
BARE_PDF = {"type": "file", "file": {"file_data": PDF_URL}}
V1_PDF = {"type": "file", "base64": "cGRm", "mime_type": "application/pdf"}
V0_PDF = {"type": "file", "source_type": "base64", "data": "cGRm", "mime_type": "application/pdf"}

CASES = [
    # Images
    ("OpenAI", IMAGE, IMAGE),
    ("OpenAI, data URL", PNG, PNG),
    (
        "OpenAI, detail",
        {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
    ),
    ("OpenAI, bare URL", {"type": "image_url", "image_url": URL}, IMAGE),
    (
        "OpenAI, detail beside a bare URL",
        {"type": "image_url", "image_url": URL, "detail": "high"},
        {"type": "image_url", "image_url": {"url": URL, "detail": "high"}},
    ),
    (
        "unknown keys are not sent",
        {"type": "image_url", "image_url": {"url": URL, "size": 3}, "index": 0},
        IMAGE,
    ),
    (
        "cache marker on an image",
        {"type": "image_url", "image_url": {"url": URL}, "cache_control": {"type": "ephemeral"}},
        {**IMAGE, "cache_control": {"type": "ephemeral"}},
    ),
    ("v1, url", {"type": "image", "url": URL, "id": "lc_1", "mime_type": "image/png"}, IMAGE),
    ("v1, base64", {"type": "image", "base64": "aW1n", "mime_type": "image/png"}, PNG),
    (
        "v1, detail in extras",
        {"type": "image", "url": URL, "extras": {"detail": "high"}},
        {"type": "image_url", "image_url": {"url": URL, "detail": "high"}},
    ),
    ("MCP", {"type": "image", "data": "aW1n", "mimeType": "image/png", "annotations": None, "meta": None}, PNG),
    ("v0, url", {"type": "image", "source_type": "url", "url": URL}, IMAGE),
    ("v0, base64", {"type": "image", "source_type": "base64", "data": "aW1n", "mime_type": "image/png"}, PNG),
    ("Anthropic, url", {"type": "image", "source": {"type": "url", "url": URL}}, IMAGE),
    (
        "Anthropic, base64",
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aW1n"}},
        PNG,
    ),
    ("v1, base64 without a type", {"type": "image", "base64": PNG_DATA}, {**PNG, "image_url": {"url": PNG_DATA_URL}}),
    (
        "v0, base64 without a type",
        {"type": "image", "source_type": "base64", "data": PNG_DATA},
        {**PNG, "image_url": {"url": PNG_DATA_URL}},
    ),
    (
        "Anthropic, base64 without a type",
        {"type": "image", "source": {"type": "base64", "data": PNG_DATA}},
        {**PNG, "image_url": {"url": PNG_DATA_URL}},
    ),
    ("Responses, image", {"type": "input_image", "image_url": URL}, IMAGE),
    # Audio
    (
        "v1 audio without a type",
        {"type": "audio", "base64": "UklGRgAAAABXQVZF"},
        {"type": "input_audio", "input_audio": {"data": "UklGRgAAAABXQVZF", "format": "wav"}},
    ),
    ("OpenAI audio", WAV, WAV),
    ("v1 audio", {"type": "audio", "base64": "c25k", "mime_type": "audio/wav"}, WAV),
    ("v0 audio", {"type": "audio", "source_type": "base64", "data": "c25k", "mime_type": "audio/x-wav"}, WAV),
    ("audio in a data URL", {"type": "audio", "url": "data:audio/vnd.wave;base64,c25k"}, WAV),
    # Video
    ("video_url", VIDEO, VIDEO),
    ("video_url, bare", {"type": "video_url", "video_url": "https://images.test/a.mp4"}, VIDEO),
    ("input_video", {**VIDEO, "type": "input_video"}, VIDEO),
    ("v1 video, url", {"type": "video", "url": "https://images.test/a.mp4"}, VIDEO),
    ("v1 video, base64", {"type": "video", "base64": "bXA0", "mime_type": "video/mp4"}, MP4),
    ("v0 video", {"type": "video", "source_type": "base64", "data": "bXA0", "mime_type": "video/mp4"}, MP4),
    (
        "v1 video without a type",
        {"type": "video", "base64": "AAAAGGZ0eXBpc29t"},
        {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAAGGZ0eXBpc29t"}},
    ),
    # Files
    (
        "v1 file without a type",
        {"type": "file", "base64": "JVBERi0x"},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0x"}},
    ),
    ("Responses, file", {"type": "input_file", "filename": "a.pdf", "file_data": PDF_URL}, PDF),
    (
        "Responses, file by URL",
        {"type": "input_file", "file_url": "https://files.test/a.pdf"},
        {"type": "file", "file": {"file_data": "https://files.test/a.pdf"}},
    ),
    ("OpenAI file", PDF, PDF),
    ("OpenAI file id", {"type": "file", "file": {"file_id": "f1"}}, {"type": "file", "file": {"file_id": "f1"}}),
    ("v1 file, no name", V1_PDF, BARE_PDF),
    ("v1 file, filename", {**V1_PDF, "filename": "a.pdf"}, PDF),
    ("v1 file, name", {**V1_PDF, "name": "a.pdf"}, PDF),
    ("v1 file, filename in extras", {**V1_PDF, "extras": {"filename": "a.pdf"}}, PDF),
    ("v1 file, metadata in extras", {**V1_PDF, "extras": {"metadata": {"filename": "a.pdf"}}}, PDF),
    ("v0 file, metadata", {**V0_PDF, "metadata": {"name": "a.pdf"}}, PDF),
    (
        "v1 file, url",
        {"type": "file", "url": "https://files.test/a.pdf"},
        {"type": "file", "file": {"file_data": "https://files.test/a.pdf"}},
    ),
    ("v1 file, id", {"type": "file", "file_id": "f1"}, {"type": "file", "file": {"file_id": "f1"}}),
    ("v0 file, id", {"type": "file", "source_type": "id", "id": "f1"}, {"type": "file", "file": {"file_id": "f1"}}),
    (
        "Anthropic document",
        {
            "type": "document",
            "title": "a.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "cGRm"},
        },
        PDF,
    ),
    (
        "Anthropic document, url",
        {"type": "document", "source": {"type": "url", "url": "https://files.test/a.pdf"}},
        {"type": "file", "file": {"file_data": "https://files.test/a.pdf"}},
    ),
    (
        "Anthropic document, file id",
        {"type": "document", "source": {"type": "file", "file_id": "f1"}},
        {"type": "file", "file": {"file_id": "f1"}},
    ),
]


@pytest.mark.parametrize(("block", "part"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("role", ["user", "tool"])
def test_every_format_becomes_a_wire_part(block: Any, part: Any, role: Any) -> None:
    assert content_to_wire([block], role, "messages[0]") == [part]


@pytest.mark.parametrize(
    ("mime_type", "audio_format"),
    [
        ("audio/mpeg", "mp3"),
        ("audio/mp3", "mp3"),
        ("audio/mp4", "m4a"),
        ("audio/x-m4a", "m4a"),
        ("audio/x-aiff", "aiff"),
        ("audio/aif", "aiff"),
        ("AUDIO/FLAC", "flac"),
        ("audio/ogg; codecs=opus", "ogg"),
        ("audio/L16;rate=16000", "pcm16"),
        ("audio/aac", "aac"),
    ],
)
def test_the_audio_format_comes_from_the_mime_type(mime_type: Any, audio_format: Any) -> None:
    parts = content_to_wire([{"type": "audio", "base64": "c25k", "mime_type": mime_type}], "user", "messages[0]")
    assert parts == [{"type": "input_audio", "input_audio": {"data": "c25k", "format": audio_format}}]


ERRORS = [
    ({"type": "image"}, "a block of type 'image' needs 'url' or 'base64'"),
    ({"type": "image", "url": ""}, "a block of type 'image' needs 'url' or 'base64'"),
    ({"type": "image", "base64": "aW1n"}, "base64 data in a block of type 'image' needs its 'mime_type'"),
    ({"type": "image", "base64": "JVBERi0x"}, "base64 data in a block of type 'image' needs its 'mime_type'"),
    ({"type": "file", "base64": "aW1n"}, "base64 data in a block of type 'file' needs its 'mime_type'"),
    ({"type": "image", "base64": b"aW1n"}, "a block of type 'image' needs 'url' or 'base64'"),
    ({"type": "image", "file_id": "f1"}, "a block of type 'image' cannot be sent by file id, only by url or base64"),
    ({"type": "image", "source_type": "base64"}, "a source of type 'base64' needs 'data'"),
    ({"type": "image", "source_type": "url", "data": "aW1n"}, "a source of type 'url' needs 'url'"),
    ({"type": "image", "source_type": ["url"]}, "the source type ['url'] is not one of base64, url, id, text"),
    (
        {"type": "image", "source": {"type": "content"}},
        "the source type 'content' is not one of base64, url, file, text",
    ),
    ({"type": "image_url"}, "a block of type 'image_url' needs 'image_url.url'"),
    ({"type": "image_url", "image_url": {"detail": "low"}}, "a block of type 'image_url' needs 'image_url.url'"),
    ({"type": "video_url", "video_url": {}}, "a block of type 'video_url' needs 'video_url.url'"),
    ({"type": "video", "base64": "bXA0"}, "base64 data in a block of type 'video' needs its 'mime_type'"),
    ({"type": "audio", "base64": "c25k"}, "base64 data in a block of type 'audio' needs its 'mime_type'"),
    ({"type": "audio", "url": "https://sounds.test/a.wav"}, "audio cannot be sent by url or file id"),
    (
        {"type": "input_audio", "input_audio": {"data": "c25k"}},
        "a block of type 'input_audio' needs 'input_audio.data' and 'input_audio.format'",
    ),
    (
        {"type": "input_audio"},
        "a block of type 'input_audio' needs 'input_audio.data' and 'input_audio.format'",
    ),
    (
        {"type": "file", "file": {"filename": "a.pdf"}},
        "a block of type 'file' needs 'file.file_data' or 'file.file_id'",
    ),
    ({"type": "file", "filename": "a.pdf"}, "a block of type 'file' needs 'url' or 'base64'"),
    ({"type": "document", "source": {"type": "text"}}, "a source of type 'text' needs 'data'"),
]


@pytest.mark.parametrize(("block", "reason"), ERRORS)
def test_the_error_for_missing_data_names_its_position(block: Any, reason: Any) -> None:
    with pytest.raises(KimiUsageError) as raised:
        content_to_wire(["look", block], "user", "messages[4]")
    assert str(raised.value).startswith("messages[4].content[1]: ")
    assert reason in str(raised.value)


ANTHROPIC_PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aW1n"}}


class Echo(BaseChatModel):
    """Answers with the messages that it would send, as langchain-core has rewritten them."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        wire = json.dumps(messages_to_wire(messages))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(wire))])


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (PNG, PNG),
        (ANTHROPIC_PNG, PNG),
        ({"type": "image", "source_type": "base64", "data": "aW1n", "mime_type": "image/png"}, PNG),
        (
            {"type": "input_audio", "input_audio": {"data": "c25k", "format": "mp3"}},
            {"type": "input_audio", "input_audio": {"data": "c25k", "format": "mp3"}},
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,cGRm"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,cGRm"}},
        ),
        (
            {"type": "file", "file": {"filename": "a.pdf", "file_id": "f1"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_id": "f1"}},
        ),
        (
            {
                "type": "file",
                "source_type": "base64",
                "data": "cGRm",
                "mime_type": "application/pdf",
                "metadata": {"filename": "a.pdf"},
            },
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,cGRm"}},
        ),
        ({"type": "file", "source_type": "text", "url": "plain"}, {"type": "text", "text": "plain"}),
    ],
)
def test_blocks_that_langchain_core_rewrites_first(block: Any, part: Any) -> None:
    reply = Echo().invoke([HumanMessage([block, PNG])])
    assert json.loads(reply.text) == [{"role": "user", "content": [part, PNG]}]
