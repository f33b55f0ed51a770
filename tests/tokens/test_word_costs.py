import pytest

from langchain_kimi._tokens.word_costs import cost_of_word, words_of


def test_blanks_separate_words() -> None:
    assert words_of(" a b\n a") == {"a", "b"}


@pytest.mark.parametrize(
    ("common", "other"),
    [
        (" planning", " pvbnkqxz"),
        (" UNITED", " QXJVZK"),
        ("_name", "=name"),
        (" Service", " HTTPService"),
        (" IDs", " HTTPDs"),
        (" type", '"types'),
        (" aaaaaaaaaaaaaaaa", " " + "a" * 40),
        (" " + "the" * 14, " " + "THE" * 14),
    ],
)
def test_the_other_word_has_more_tokens(common: str, other: str) -> None:
    assert cost_of_word(common) < cost_of_word(other)


def test_random_letters_have_no_more_tokens_than_pairs_of_letters() -> None:
    assert cost_of_word("qxzvj" * 20) <= 100 / 1.6
