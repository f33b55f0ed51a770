import pytest
import regex

from langchain_kimi._tokens.pieces import HAN, LETTERS, pieces
from langchain_kimi._tokens.vocabulary import PATTERN
from tests.growth import assert_linear

TEXTS = [
    "It's John's, they'LL go; we'd well-Known getWeatherNow HTTPServer IDs",
    "x = {'a_name': [1, 23, 4567, 89012]}\n\n\t  return  None  \r\n  ",
    "https://example.com/a/b?c=1&d=%20#_x",
    "Ação Linköpings LINKÖPING élève źdźbło NAÏVE straßeÉtat",
    "Привет, мир! ПриветМир русскиеСлова ΑθήναΑθήνα",
    "你好世界 hello世界abc 世界 ひらがなカタカナ漢字",
    "안녕하세요 세계 नमस्ते दुनिया สวัสดีชาวโลก வணக்கம்",
    "ምን አለ Հայաստան საქართველო မြန်မာ ភាសាខ្មែរ שלום עולם مرحبا ١٢٣٤",
    "👍🏽 👩‍🚀✨ 🇫🇮 — «…» ½ ² ① │─┼",
    "a\u2028b\u0301c \u200b\x00_\u0301x",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_the_pieces_of_the_pattern(text: str) -> None:
    assert list(pieces(text)) == regex.findall(PATTERN, text, regex.VERSION1)


def test_the_ranges_are_those_of_letters_and_marks() -> None:
    letter, han = regex.compile(f"[{LETTERS}]"), regex.compile(f"[{HAN}]")
    # Python's own categories would be those of the Unicode of its version.
    characters = "".join(map(chr, range(0x80, 0x10000)))
    for character in regex.findall(r"[\p{L}\p{M}]", characters):
        assert bool(letter.match(character)) != bool(han.match(character)), hex(ord(character))
    for character in regex.findall(r"[\p{N}\p{P}\p{S}\p{Z}]", characters):
        assert not letter.match(character), hex(ord(character))


@pytest.mark.uncovered
@pytest.mark.parametrize("unit", ["aB", "éÉ", "A", "É", "_", " ", " \n", "\u0301", "你a", "1", "'s", "\u00b2"])
def test_the_time_grows_linearly(unit: str) -> None:
    assert_linear(lambda size: sum(1 for _ in pieces(unit * size)))
