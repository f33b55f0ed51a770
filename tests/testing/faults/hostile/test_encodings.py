import gzip
import zlib

from langchain_kimi.testing.faults.hostile.encodings import bomb, packed


def test_layers_of_gzip() -> None:
    assert gzip.decompress(gzip.decompress(packed(b"x", 2))) == b"x"


def test_a_bomb_becomes_a_thousand_times_as_large() -> None:
    sent = bomb(4, b'{"a": "')
    text = zlib.decompressobj(31).decompress(sent)
    assert text == b'{"a": "' + b" " * (4 * 2**20)
    assert len(sent) < len(text) / 500
