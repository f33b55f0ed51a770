import json
from collections import Counter
from pathlib import Path

import pytest

from langchain_kimi.errors import KimiUsageError
from scripts import fit_piece_costs
from tests.tokens.vocabulary import make

TEXT = "import os\nprint(os.name, 'the name of the system', 12)\n\nЖизнь 🙂"


def written(folder: Path) -> Path:
    file = folder / "texts.jsonl"
    file.write_text(
        "".join(json.dumps({"kind": kind, "weight": 0.5, "text": TEXT}) + "\n" for kind in ("code", "code"))
    )
    return file


def test_the_pieces_of_a_kind_are_counted(tmp_path: Path) -> None:
    kinds = fit_piece_costs.read(written(tmp_path))
    assert list(kinds) == ["code"]
    weight, counts = kinds["code"]
    assert weight == 0.5
    assert counts[" the"] == 2


def test_random_pieces_are_the_same_each_time() -> None:
    kinds = {"words": (1.0, Counter([" house", " mouse", ".length", " UPPER"]))}
    for is_ascii in (True, False):
        first, second = (fit_piece_costs.random_pieces(kinds, is_ascii=is_ascii, number=200) for _ in range(2))
        assert first == second
        assert set(first) == set(fit_piece_costs.WEIGHT_OF_RANDOM[is_ascii])


def test_characters_have_their_tokens_in_two_bits() -> None:
    table = fit_piece_costs.tokens_of_characters(lambda character: len(character.encode("utf-8", "surrogatepass")))
    assert len(table) == 1 << 14

    def more(code: int) -> int:
        return table[code >> 2] >> ((code & 3) * 2) & 3

    assert [more(code) for code in (ord("a"), ord("é"), ord("你"), 0xE600, 0xD800)] == [0, 1, 2, 3, 2]


def test_common_pieces_weigh_more_and_rules_are_left_out(tmp_path: Path) -> None:
    kinds = fit_piece_costs.read(written(tmp_path))
    weights = {
        piece: weight for piece, _, weight in fit_piece_costs.weights_of_pieces(kinds, len, is_ascii=True, number=200)
    }
    assert weights[" the"] > weights["print"] > 0
    assert not {"12", "\n\n", "Жизнь"} & weights.keys()


def test_nothing_to_fit_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts, table = tmp_path / "texts.jsonl", tmp_path / "table"
    texts.touch()
    assert fit_piece_costs.main([str(texts), "--vocabulary", str(tmp_path), "--file", str(table)]) == 1
    assert "There are no texts" in capsys.readouterr().err
    assert not table.exists()


def test_another_vocabulary_is_an_error(tmp_path: Path) -> None:
    vocabulary = make(tmp_path / "made.model", []).path
    with pytest.raises(KimiUsageError, match="checksum"):
        fit_piece_costs.main([str(written(tmp_path)), "--vocabulary", str(vocabulary)])
