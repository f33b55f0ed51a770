"""LangChain's standard integration suite for a model that takes images, with a generated image.

OpenRouter reads PDFs for every model, and the emulator does not: the one here has the image's bytes.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from vcr import VCR
from vcr.request import Request

from langchain_kimi.testing import cassettes
from tests.standard.suite import KimiSuite
from tests.standard.suite_servers import emulator

# The one test that would time a replay finds nothing recorded here, and times nothing.
pytestmark = [pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"), pytest.mark.long]


def png(width: int = 8, height: int = 8) -> bytes:
    """Return a small PNG: a red square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\xff\x00\x00" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class OneImage:
    """A cassette that answers every download with the image."""

    @staticmethod
    def load_cassette(cassette_path: str, serializer: Any) -> tuple[list[Request], list[Any]]:
        request = Request("GET", "https://image.invalid/", b"", {})
        body = {"status": {"code": 200, "message": "OK"}, "headers": {"Content-Type": ["image/png"]}}
        return [request], [{**body, "body": {"string": png()}}]

    @staticmethod
    def save_cassette(cassette_path: str, cassette_dict: Any, serializer: Any) -> None:
        raise AssertionError("nothing is recorded here")


@pytest.fixture(autouse=True)
def downloads() -> Iterator[None]:
    """Answer the suite's downloads; requests to the emulator on loopback pass."""
    vcr = VCR()
    vcr.register_persister(OneImage)
    with vcr.use_cassette(
        "image", record_mode="none", match_on=["method"], allow_playback_repeats=True, ignore_localhost=True
    ):
        yield


@pytest.fixture
def vcr_config() -> dict[str, Any]:
    return cassettes.vcr_config("all")


@pytest.fixture(scope="module")
def vcr_cassette_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("cassettes"))


class Seeing(KimiSuite):
    slug = "moonshotai/kimi-k2.6"

    @property
    def base_url(self) -> str:
        return emulator(reasoning=False).base_url

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True


class TestSeeingJsonSchema(Seeing):
    method = "json_schema"


# Models that take images reason, so a call cannot be forced.
@pytest.mark.filterwarnings("ignore:.* reasons, and reasoning excludes a forced call")
class TestSeeingFunctionCalling(Seeing):
    method = "function_calling"
