from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from langchain_kimi._openrouter.wire import WireMessage
from scripts import cross_validate_estimate
from scripts.recorded_prompts import Exchange, Form, forms_of
from tests.recordings.exchanges import FOLDER, needs_recordings

FORMS = [form for form in forms_of("moonshotai/kimi-k2") if form.with_ids_as_sent]
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look around and describe the view.",
        "parameters": {"type": "object", "properties": {"Where": {"type": "string"}, "how": {"enum": ["a", "b"]}}},
    },
}


def exchange_with(question: str, form: Form) -> Exchange:
    """Return an exchange with a host that writes prompts in this form."""
    messages: list[WireMessage] = [{"role": "user", "content": question}]
    exchange = Exchange(
        "host", "2030-01", "moonshotai/kimi-k2", messages, [TOOL], 0, 0, "", "", "stop", has_calls=False
    )
    return replace(exchange, prompt_tokens=round(cross_validate_estimate.estimate(exchange, form)))


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_host_follows_from_its_other_conversations(form: Form) -> None:
    recorded = [exchange_with("What do you see?", form), exchange_with("Which of the two is it, and why?", form)]
    pairs = list(cross_validate_estimate.with_other_forms(recorded, lambda one: one.host))
    assert len(pairs) == 2
    assert fmean(abs(pair.error) for pair in pairs) < 0.01


def test_a_host_without_other_conversations_is_left_out() -> None:
    alone = [exchange_with("What do you see?", FORMS[0])]
    assert list(cross_validate_estimate.with_other_forms(alone, lambda one: one.host)) == []


def test_a_directory_without_exchanges_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cross_validate_estimate.main([str(tmp_path), "--file", str(tmp_path / "figures.md")]) == 1
    assert "no exchanges with Kimi" in capsys.readouterr().err


@needs_recordings
def test_the_figures_are_those_of_the_document(tmp_path: Path) -> None:
    assert cross_validate_estimate.main([str(FOLDER), "--file", str(tmp_path / "figures.md")]) == 0
    written = (tmp_path / "figures.md").read_text()
    assert written == cross_validate_estimate.DOCUMENT.read_text()
