import re

import pytest

from langchain_kimi._tokens.estimate import estimate_tokens
from langchain_kimi._tokens.vocabulary import LONGEST_TEXT
from tests.growth import assert_linear

INDONESIAN = (
    " Rumah besar di tepi sungai itu milik keluarga nelayan yang setiap pagi berangkat mencari ikan bersama anak mereka"
    " di laut lepas dan tidak pernah pulang dengan tangan kosong karena ombak selalu ramah kepada mereka"
)
ENGLISH = (
    " The old house at the bend of the river belongs to a family of fishers who go out every morning with their"
    " children, and they have never come home with empty hands, because the waves are kind to them."
)
CODE = "    def read_names(self, path: str) -> list[str]:\n        return [line.strip() for line in open(path)]\n"
JSON = '{"id": 4711, "name": "John Miller", "tags": ["a", "b"], "url": "https://example.com/a/b?c=1"}\n'
NOISE = "".join(filter(str.isalnum, (chr(33 + place * place * 7 % 94) for place in range(2_000))))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("12345", 2),
        ("2 and 3", 4),
        ("a_name", 2),
        ('{"a":', 3),
        ("a \n\n  b", 4),
        ("a" + " " * 33, 2),
    ],
)
def test_the_estimate_of_a_short_text(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens, abs=0.2)


# The tokens that Kimi's vocabulary has for these texts.
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (ENGLISH, 43),
        (INDONESIAN, 61),
        (CODE, 26),
        (JSON, 38),
        ("The cat sat on the mat.", 7),
        ("getWeatherNow", 3),
        ("x" * 88, 11),
        ("————————————————————————————————————————", 5),
        ("a 你好世界再见吗呢", 7),
        ("नमस्ते", 4),
        ("வணக்கம் உலகம்", 9),
        ("Xin chào thế giới", 9),
        ("🇫🇮👩‍🚀✨", 11),
        ("Բոլոր մարդիկ ծնվում են ազատ", 16),
        ("ყველა ადამიანი იბადება თავისუფალი", 25),
        ("ሁሉም ሰው ነጻ ሆኖ ይወለዳል", 24),
        ("လူတိုင်းသည် တူညီလွတ်လပ်သော", 15),
        (" Nikhil Benesch Rikard Anglerud Jyrki Pulliainen Bogdan Opanchuk", 21),
        ("ossl_check_X509_NAME_ENTRY_sk_type(sk)", 11),
        ("if(t){this.length=0;for(var i=0;i<t.length;i++)this.push(t[i])}", 24),
        (NOISE + "Zm9vYmFyMTIzQUJDZGVm" * 3, 826),
    ],
    ids=lambda value: None if isinstance(value, int) else value[:12],
)
def test_a_text_has_about_its_tokens(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens, rel=0.15)


def test_white_space_that_is_no_blank_has_tokens() -> None:
    assert estimate_tokens("a\u2028b\u2029\u200b") >= 3
    assert estimate_tokens("\u2028") >= 1


def test_repeated_pieces_count_each_time() -> None:
    assert estimate_tokens(ENGLISH * 50) == pytest.approx(50 * estimate_tokens(ENGLISH))


@pytest.mark.parametrize("parts", [2, 8, 40])
@pytest.mark.parametrize(
    "text",
    [
        ENGLISH * 100,
        INDONESIAN * 100,
        (ENGLISH + INDONESIAN) * 50,
        " mañana será otro día para la niña" * 300,
        CODE * 100,
        JSON * 100,
    ],
    ids=["English", "Indonesian", "both", "Spanish", "code", "JSON"],
)
def test_a_text_has_as_many_tokens_as_its_parts(text: str, parts: int) -> None:
    words = re.findall(r"\s*\S+|\s+", text)
    size = len(words) // parts + 1
    pieces = ["".join(words[start : start + size]) for start in range(0, len(words), size)]
    assert sum(map(estimate_tokens, pieces)) == pytest.approx(estimate_tokens(text), rel=0.03)


def test_a_very_long_text_has_as_many_tokens_as_its_parts() -> None:
    unit, times = " the word", LONGEST_TEXT // 8
    assert len(unit) * times > LONGEST_TEXT
    assert estimate_tokens(unit * times) == pytest.approx(times * estimate_tokens(unit), rel=0.001)


def test_many_random_keys_are_counted() -> None:
    key = "Zm9vYmFyMTIzQUJDZGVmZm9vYmFyMTIzQUJDZGVmZm9vYmFyMTIzQUJDZGVm"
    keys = "\n".join(f"{number:05}{key}" for number in range(2_000))
    assert estimate_tokens(keys) == pytest.approx(2_000 * (13 * 3 + 3), rel=0.1)


@pytest.mark.uncovered
@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "\n",
        "aB",
        "—",
        "é",
        "ł",
        "aé",
        "1",
        "你",
        "'",
        " \n",
        "\u0301",
        "_a",
        "-",
        "+-",
        "A ",
        " yang",
        "Aa0/",
        "--==",
        "aaaaabbbbb",
        ".....,,,,,",
    ],
)
def test_the_time_grows_linearly(unit: str) -> None:
    assert_linear(lambda size: estimate_tokens(unit * size))
