import pytest

from langchain_kimi._tokens.estimate import estimate_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("a", 1),
        ("The cat sat on the mat.", 7),
        ("You are a helpful assistant", 5.16),
        ("It's John's", 2),
        ("getWeatherNow", 1 + 1.1 * 1.03 + 1.1),
        ("getX", 2),
        ("12345", 2),
        ("2 and 3", 4),
        ("well-Known", 1 + 1.8),
        ("a_name", 1 + 1.35),
        ("UNESCO", 6 / 4),
        ("AI", 1),
        ("x" * 90, 20),
        ('{"a":', 3),
        ("}}}}}}", 2),
        ("-" * 80, 5),
        ("—" * 40, 24.8),
        ("a \n\n  b", 4),
        ("a" + " " * 33 + "b", 4),
        ("你好世界再见吗呢", 5),
        ("a 你好世界再见吗呢", 7),
        ("、。", 1.24),
        ("Привет", 6 / 2.3),
        ("ひらがな", 4 / 1.15),
        ("안녕", 2),
        ("नमस्ते", 6 / 1.3),
        ("👍", 1 / 0.55),
        ("\U000107e0", 2),
    ],
)
def test_a_text(text: str, tokens: float) -> None:
    assert estimate_tokens(text) == pytest.approx(tokens)


def test_a_language_with_accents_costs_more_by_all_its_words() -> None:
    plain = estimate_tokens(" el perro come pan")
    assert estimate_tokens(" el perro come pan") == plain
    assert estimate_tokens(" el perro come pan así está") > 1.2 * plain + 2
    # One foreign word among many makes no foreign text.
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
def test_no_script_is_taken_for_english(text: str) -> None:
    assert estimate_tokens(text) > len(text) / 4


def test_a_language_without_accents_is_known_by_the_words_that_it_lacks() -> None:
    prose = "Rumah besar di tepi sungai itu milik keluarga nelayan yang setiap pagi berangkat "
    prose += "mencari ikan bersama anak mereka di laut lepas"
    words = len(prose.split())
    assert estimate_tokens(f" {prose}") > 1.75 * words
    assert estimate_tokens(f" {prose} the of and") < 1.3 * words
    # Too few words tell nothing, neither do the same again and again.
    assert estimate_tokens(" mencari ikan" * 30) < 1.1 * 60


def test_what_has_no_words_costs_by_the_letter() -> None:
    noise = "".join(chr(33 + place * place * 7 % 94) for place in range(2_000))
    noise = "".join(filter(str.isalnum, noise)) + "Zm9vYmFyMTIzQUJDZGVm" * 3
    assert estimate_tokens(noise) == pytest.approx(len(noise) / 1.4)
    assert estimate_tokens(f"look: {noise} and {noise}") == pytest.approx(2 * len(noise) / 1.4 + 4, abs=1)
    # A long path and a long name have words.
    assert estimate_tokens("/usr/share/doc" * 6) < 40
    assert estimate_tokens("getTheNameOfTheWeather" * 4) < 40


def test_many_keys_take_no_more_than_linear_time() -> None:
    keys = "\n".join(
        f"{number:05}Zm9vYmFyMTIzQUJDZGVmZm9vYmFyMTIzQUJDZGVmZm9vYmFyMTIzQUJDZGVm" for number in range(20_000)
    )
    assert estimate_tokens(keys) == pytest.approx(20_000 * (65 / 1.4 + 1), rel=0.05)


def test_vietnamese_costs_by_its_own_measure() -> None:
    assert estimate_tokens("được") == pytest.approx(4 / 1.25)


def test_so_do_the_letters_of_polish_and_its_neighbours() -> None:
    assert estimate_tokens("źdźbło") == pytest.approx(6 / 1.7)
    assert estimate_tokens("œuvre") == pytest.approx(5 / 2.1)
    # Their words without accents are longer for Kimi, too.
    assert estimate_tokens("źdźbło kot") == pytest.approx(6 / 1.7 + 1.6)
    assert estimate_tokens("élève chat") == pytest.approx(5 / 2.1 + 1.35)


def test_parts_cost_what_the_whole_costs_but_for_a_seam() -> None:
    text = "Every mountain exhales once in a thousand years, and what it breathes is dragon.\n"
    assert estimate_tokens(text * 50) == pytest.approx(50 * estimate_tokens(text), rel=0.02)


@pytest.mark.parametrize("unit", ["a", " ", "\n", "aB", "—", "é", "ł", "aé", "1", "你", "'", " \n", "\u0301", "_a"])
def test_no_text_takes_more_than_linear_time(unit: str) -> None:
    # A quadratic one would not come to its end within the time that a test has.
    assert estimate_tokens(unit * 500_000) > 10_000
