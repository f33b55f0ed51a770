from langchain_kimi._tokens.frequent_words import EVERYWHERE, IN_TEXTS, NAMES, words_of


def test_blanks_separate_words() -> None:
    assert words_of(" a b\n a") == {"a", "b"}


def test_no_word_is_in_both_lists() -> None:
    assert not EVERYWHERE & IN_TEXTS
    assert all(word.isascii() and word.islower() for word in EVERYWHERE | IN_TEXTS)
    assert all(name.isascii() and name.istitle() for name in NAMES)
