import pytest

from langchain_kimi._tokens.piece_costs import SIZE, ascii_indices, cost_of_piece, other_indices


@pytest.mark.parametrize(
    ("common", "other"),
    [
        (" planning", " pvbnkqxz"),
        (" UNITED", " QXJVZK"),
        (" Service", " HTTPService"),
        (" warranty", "/warranty"),
        (" house", " xhoseu"),
        ("的", "庢"),
        (" привет", " ъыьщфж"),
        ("👍", "🧿"),
    ],
)
def test_the_other_piece_has_more_tokens(common: str, other: str) -> None:
    assert 1 <= cost_of_piece(common) < cost_of_piece(other)


@pytest.mark.parametrize("piece", [" the", " and", " import", "_name", ".get", "://", "();\n", '":', "12", "007"])
def test_a_frequent_piece_is_one_token(piece: str) -> None:
    assert cost_of_piece(piece) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("piece", "tokens"),
    [
        (" " * 40, 1),
        (" " * 100, 2),
        (" " * 300, 2),
        ("\t" * 100, 5),
        ("\n" * 200, 13),
        ("\r\n" * 100, 30),
        ("\n " * 4 + "\n", 3),
        ("\u2003", 1),
    ],
)
def test_white_space_has_few_tokens(piece: str, tokens: int) -> None:
    assert cost_of_piece(piece) == pytest.approx(tokens, rel=0.25)


@pytest.mark.parametrize(
    ("piece", "tokens"),
    [
        ("-" * 80, 2),
        ("?" * 120, 30),
        ("+" + "-" * 36 + "+", 3),
        ("─" * 40, 3.5),
        ("x" * 72, 10),
        (" " + "q" * 40, 20),
        ("哈" * 40, 10),
    ],
)
def test_a_run_of_one_character_has_few_tokens(piece: str, tokens: float) -> None:
    assert cost_of_piece(piece) == pytest.approx(tokens, rel=0.25)


def test_a_piece_has_no_more_tokens_than_bytes() -> None:
    for piece in ("qxzvj" * 20, "\U00012000" * 50, "龘靐齉" * 20):
        assert len(piece) / 3 < cost_of_piece(piece) <= len(piece.encode())


def test_a_piece_has_an_index_for_each_of_its_sequences() -> None:
    # All pieces; 5 letters, 4 pairs, 3 triples, 2 sequences of four, the word.
    assert len(ascii_indices(" abcd")) == 1 + 5 + 4 + 3 + 2 + 1
    assert len(ascii_indices("ab")) == 1 + 2 + 1
    # All pieces; 2 letters, 1 pair; for each letter its tokens and its neighbors.
    assert len(other_indices("да")) == 1 + 2 + 1 + 2 * 2
    assert {*other_indices("да"), *other_indices("🧿𐐀"), *ascii_indices("x" * 80)} <= {*range(SIZE)}


def test_lone_surrogates_have_tokens() -> None:
    assert cost_of_piece("\ud83d") >= 1
