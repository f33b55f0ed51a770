import pytest

from langchain_kimi._openrouter.reply.data import BytesReader, DataReader, ObjectReader
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi.errors import (
    KimiError,
    KimiMalformedReplyError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiTimeoutError,
)


def reader(shape: type = dict, idle: float | None = None) -> DataReader:
    return DataReader(ResponseHead(200, {}, 0.0), shape, idle)


def test_the_body_is_read_in_pieces() -> None:
    reading = reader()
    assert not reading.has_begun
    for piece in (b"\n  ", b'{"data": {"a"', b": 1}}"):
        assert reading.feed(piece, 0.0) == ()
    assert [*reading.close()] == [{"data": {"a": 1}}]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": [1]}', b"<html>"])
def test_another_form_is_malformed(body: bytes) -> None:
    reading = reader()
    reading.feed(body, 0.0)
    with pytest.raises(KimiMalformedReplyError):
        list(reading.close())


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error": {"message": "No.", "code": 403}}', KimiPermissionError),
        (b'{"data": null, "error": {"message": "Slowly.", "code": 429}}', KimiRateLimitError),
        (b'{"error": "No."}', KimiError),
    ],
)
def test_an_error_with_status_200_is_raised(body: bytes, kind: type[KimiError]) -> None:
    reading = reader(list)
    reading.feed(body, 0.0)
    with pytest.raises(kind) as caught:
        list(reading.close())
    assert not isinstance(caught.value, KimiMalformedReplyError)


def test_blanks_are_not_content() -> None:
    reading = reader(idle=5.0)
    reading.feed(b" ", 3.0)
    with pytest.raises(KimiTimeoutError):
        reading.feed(b" ", 3.0)
    assert reading.explain(KimiError("late")) == ()


def test_objects_and_bytes_need_no_data() -> None:
    for kind, expected in ((ObjectReader, {"a": 1}), (BytesReader, b'{"a": 1}')):
        reading = kind(ResponseHead(200, {}, 0.0), None)
        reading.feed(b'{"a": 1}', 0.0)
        assert list(reading.close()) == [expected]


def test_another_value_is_not_an_object() -> None:
    reading = ObjectReader(ResponseHead(200, {}, 0.0), None)
    reading.feed(b"[]", 0.0)
    with pytest.raises(KimiMalformedReplyError, match="not a JSON object"):
        list(reading.close())
