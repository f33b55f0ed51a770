import pytest

from langchain_kimi._tokens.word_costs import cost_of_word


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


@pytest.mark.parametrize(
    "word", ["_parameters", ".parameters", "(parameters", "Parameters", "_PARAMETERS", "\tparameters"]
)
def test_a_frequent_word_of_code_is_one_token_behind_spaces_and_within_names(word: str) -> None:
    assert cost_of_word(word) == pytest.approx(1, abs=0.09)


def test_a_frequent_word_of_texts_is_one_token_in_texts_only() -> None:
    assert cost_of_word(" WARRANTY") == pytest.approx(1, abs=0.09)
    assert cost_of_word("/warranty") > cost_of_word("_warranty") > cost_of_word(" warranty") == 1
