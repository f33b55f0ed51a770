import pytest

from langchain_kimi.cli.main import main


def test_an_unknown_action_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tokenizer", "drop"])
    assert ended.value.code == 2
    assert "fetch" in capsys.readouterr().err
