import gzip
import zlib

import pytest

from langchain_kimi.testing import Emulator
from langchain_kimi.testing.faults import HOSTILE
from langchain_kimi.testing.faults.hostile.encodings import bomb, packed
from tests.testing.faults.hostile.test_entries import received


def test_layers_of_gzip() -> None:
    assert gzip.decompress(gzip.decompress(packed(b"x", 2))) == b"x"


def test_a_bomb_becomes_a_thousand_times_as_large() -> None:
    sent = bomb(4, b'{"a": "')
    text = zlib.decompressobj(31).decompress(sent)
    assert text == b'{"a": "' + b" " * (4 * 2**20)
    assert len(sent) < len(text) / 500


@pytest.mark.parametrize(
    ("name", "in_head"),
    [
        ("encoding: a bomb with an error", b"content-encoding: gzip"),
        ("encoding: without output, for ever", b"transfer-encoding: chunked"),
        ("encoding: silence", b"content-length: 99999"),
    ],
)
def test_replies_that_never_end_have_a_correct_head(openrouter: Emulator, name: str, in_head: bytes) -> None:
    head = received(openrouter, HOSTILE[name], enough=lambda sent: b"\r\n\r\n" in sent)
    assert in_head in head
