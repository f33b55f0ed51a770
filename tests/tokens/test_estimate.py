import re

import pytest

from langchain_kimi._tokens.estimate import estimate_tokens
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("The cat sat on the mat.", 7.03),
        ("You are a helpful assistant", 5.03),
        ("It's John's", 2.99),
        ("getWeatherNow", 3.1),
        ("12345", 2),
        ("2 and 3", 4),
        ("well-Known", 3.26),
        ("a_name", 2.0),
        ("UNESCO", 1.78),
        (" UNESCO", 1.37),
        ("x" * 88, 19.44),
        ('{"a":', 3),
        ('"properties":{"', 2.19),
        ("}}}}}}", 1.5),
        ("*?!", 1.73),
        ("-" * 80, 2.0),
        ("+" + "-" * 36 + "+", 3.0),
        ("—" * 40, 22.8),
        ("a \n\n  b", 4),
        ("a" + " " * 33 + "b", 3),
        ("你好世界再见吗呢", 5),
        ("a 你好世界再见吗呢", 7),
        ("、。", 1.24),
        ('、"', 1.62),
        ("Привет", 6 / 2.3),
        ("ひらがな", 4 / 1.15),
        ("안녕", 2),
        ("नमस्ते", 6 / 1.3),
        ("👍", 1 / 0.55),
        ("\U000107e0", 2),
    ],
)
def test_the_estimate_of_a_text(text: str, tokens: float) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens)


def test_words_of_a_language_with_accents_have_more_tokens() -> None:
    plain = estimate_tokens(" perro come pan")
    assert estimate_tokens(" perro come pan así está") > 1.2 * plain + 2
    # One accented word in an English text changes nothing.
    english = " the dog eats bread" * 10
    assert estimate_tokens(english + " así") == pytest.approx(estimate_tokens(english) + estimate_tokens(" así"))


@pytest.mark.parametrize(
    "text",
    [
        "καλημέρα",
        "שלום עולם",
        "مرحبا بالعالم",
        "வணக்கம் உலகம்",
        "สวัสดีชาวโลก",
        "Xin chào thế giới",
        "🇫🇮👩‍🚀✨",
        "ምን አለ",
    ],
)
def test_no_other_script_is_counted_as_english(text: str) -> None:
    assert estimate_tokens(text) > len(text) / 4


INDONESIAN = (
    " Rumah besar di tepi sungai itu milik keluarga nelayan yang setiap pagi berangkat mencari ikan bersama anak mereka"
    " di laut lepas dan tidak pernah pulang dengan tangan kosong karena ombak selalu ramah kepada mereka"
)
ENGLISH = (
    " The old house at the bend of the river belongs to a family of fishers who go out every morning with their"
    " children, and they have never come home with empty hands, because the waves are kind to them."
)


def test_a_language_without_accents_is_recognized_by_its_function_words() -> None:
    words = len(INDONESIAN.split())
    assert estimate_tokens(INDONESIAN) > 1.6 * words
    assert estimate_tokens(ENGLISH) < 1.2 * len(ENGLISH.split())
    # Words alone, without function words, count as English.
    assert estimate_tokens(" mencari ikan" * 30) < 1.1 * 60


def test_a_foreign_paragraph_in_an_english_text_counts_as_foreign() -> None:
    apart = 10 * estimate_tokens(ENGLISH) + 10 * estimate_tokens(INDONESIAN)
    assert estimate_tokens(ENGLISH * 10 + INDONESIAN * 10 + ENGLISH * 10) == pytest.approx(
        apart + 10 * estimate_tokens(ENGLISH), rel=0.03
    )


def test_a_long_english_text_with_many_different_words_is_not_foreign() -> None:
    vocabulary = [f"{first}{second}" for first in ("mar", "tel", "con", "bar", "sol") for second in _ENDINGS]
    text = " ".join(f"the {word} of a {word}s is in the {word}ing" for word in vocabulary)
    assert estimate_tokens(text) == pytest.approx(sum(estimate_tokens(f" {line}") for line in _lines(text)), rel=0.03)
    assert estimate_tokens(text) < 1.2 * len(text.split())


_ENDINGS = [f"{a}{b}{c}" for a in "aeiou" for b in "bdfgklmnprst" for c in "aeio"]


def _lines(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[start : start + 100]) for start in range(0, len(words), 100)]


@pytest.mark.parametrize("parts", [2, 8, 40])
@pytest.mark.parametrize(
    "text",
    [ENGLISH * 100, INDONESIAN * 100, (ENGLISH + INDONESIAN) * 50, " mañana será otro día para la niña" * 300],
    ids=["English", "Indonesian", "both", "Spanish"],
)
def test_a_text_has_as_many_tokens_as_its_parts(text: str, parts: int) -> None:
    words = re.findall(r" \S+", text)
    size = len(words) // parts + 1
    pieces = ["".join(words[start : start + size]) for start in range(0, len(words), size)]
    assert sum(map(estimate_tokens, pieces)) == pytest.approx(estimate_tokens(text), rel=0.03)


def test_names_have_more_tokens_than_other_words() -> None:
    names = " Nikhil Benesch Rikard Anglerud Jyrki Pulliainen Bogdan Opanchuk Zsolt Dollenstein Yusuke Nojima"
    names += " Srinivas Nyayapati Stavros Korokithakis Stefan Scherfke Filipe Laens Finn Womack Vinay Sajip"
    repeated = " Programming Language Python License Operating System" * 5
    assert estimate_tokens(names) > 1.5 * len(names.split())
    assert estimate_tokens(repeated) < 1.3 * len(repeated.split())


def test_random_letters_count_by_the_letter() -> None:
    noise = "".join(chr(33 + place * place * 7 % 94) for place in range(2_000))
    noise = "".join(filter(str.isalnum, noise)) + "Zm9vYmFyMTIzQUJDZGVm" * 3
    assert estimate_tokens(noise) == pytest.approx(len(noise) / 1.42)
    assert estimate_tokens(f"look: {noise} and {noise}") == pytest.approx(2 * len(noise) / 1.42 + 4, abs=2)
    # A long path and a long name consist of words.
    assert estimate_tokens("/usr/share/doc" * 6) < 40
    assert estimate_tokens("getTheNameOfTheWeather" * 4) < 40


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("sk_ASN1_OBJECT_pop_free", 7),
        ("ossl_check_X509_NAME_ENTRY_sk_type(sk)", 11),
        ('="../../../../../../../', 3),
        ("if(t){this.length=0;for(var i=0;i<t.length;i++)this.push(t[i])}", 25),
    ],
)
def test_names_paths_and_minified_code_are_not_random(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens, rel=0.2)


def test_many_random_keys_are_counted() -> None:
    keys = "\n".join(
        f"{number:05}Zm9vYmFyMTIzQUJDZGVmZm9vYmFyMTIzQUJDZGVmZm9vYmFyMTIzQUJDZGVm" for number in range(20_000)
    )
    assert estimate_tokens(keys) == pytest.approx(20_000 * (65 / 1.42 + 1), rel=0.05)


def test_vietnamese_has_its_own_average() -> None:
    assert estimate_tokens("được") == pytest.approx(4 / 1.25)


def test_latin_extended_letters_have_their_own_average() -> None:
    assert estimate_tokens("źdźbło") == pytest.approx(6 / 1.7)
    assert estimate_tokens("œuvre") == pytest.approx(5 / 2.1)
    # Words without accents in such languages have more tokens, too.
    assert estimate_tokens("źdźbło lot") == pytest.approx(6 / 1.7 + 1.33, rel=0.02)
    assert estimate_tokens("élève page") == pytest.approx(5 / 2.1 + 1.15, rel=0.02)


MEASURED = [
    ("-" * 32, 1),
    ("?" * 120, 30),
    ("\u5ea2\u5e9b\u5ea3\u5ea5\u5f07\u5f2e\u5f56\u5f86\u6037\u6039\u6054\u6072\u605e\u6045\u6053\u6047", 28),
]
"""Texts, and their tokens by a public vocabulary of the same kind, with Kimi's pattern."""


@pytest.mark.parametrize(("text", "tokens"), MEASURED)
def test_rulers_and_rare_characters_count_as_measured(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens, rel=0.15)


def test_packed_data_counts_by_the_character() -> None:
    packed = "O!Y#qO![#rO!^#uO!_#vO!a#xO(v#gO)T#mO)U#oO~P#3zO&]cO" * 3
    assert estimate_tokens(packed) > len(packed) / 1.9
    code = "if(a.allowSteps&&!b.keywordLine){return(c=a.next(1),d)};"
    assert estimate_tokens(code * 3) < len(code) * 3 / 2


CODE = "    def read_names(self, path: str) -> list[str]:\n        return [line.strip() for line in open(path)]\n"
JSON = '{"id": 4711, "name": "John Miller", "tags": ["a", "b"], "url": "https://example.com/a/b?c=1"}\n'


@pytest.mark.parametrize("text", [ENGLISH * 40, CODE * 60, JSON * 60], ids=["English", "code", "JSON"])
def test_a_text_has_as_many_tokens_as_its_lines(text: str) -> None:
    parts = text.splitlines(keepends=True) if "\n" in text else re.findall(r"(?: \S+){1,50}", text)
    assert sum(map(estimate_tokens, parts)) == pytest.approx(estimate_tokens(text), rel=0.03)


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
    ],
)
def test_the_time_grows_linearly(unit: str) -> None:
    assert_linear(lambda size: estimate_tokens(unit * size))
