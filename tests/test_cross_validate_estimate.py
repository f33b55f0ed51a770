import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from langchain_kimi._openrouter.wire import WireMessage
from langchain_kimi._tokens.estimate import FIT, Fit
from scripts import cross_validate_estimate
from scripts.recorded_prompts import Exchange, Form, forms_of
from tests.recordings.exchanges import FOLDER, needs_recordings

FORMS = [form for form in forms_of("moonshotai/kimi-k2") if form.with_ids_as_sent]
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look around, and tell what there is to be seen.",
        "parameters": {"type": "object", "properties": {"Where": {"type": "string"}, "how": {"enum": ["a", "b"]}}},
    },
}


def asked(question: str, form: Form, fit: Fit = FIT) -> Exchange:
    """An exchange with a host of this form, for whose vocabulary these costs are right."""
    messages: list[WireMessage] = [{"role": "user", "content": question}]
    exchange = Exchange(
        "host", "2030-01", "moonshotai/kimi-k2", messages, [TOOL], 0, 0, "", "", "stop", has_calls=False
    )
    return replace(exchange, prompt_tokens=round(cross_validate_estimate.estimate(exchange, form, fit)))


@pytest.mark.parametrize("form", FORMS)
def test_a_host_is_known_by_its_other_conversations(form: Form) -> None:
    found = [asked("What do you see?", form), asked("Which of the two is it, and why?", form)]
    pairs = list(cross_validate_estimate.with_other_forms(found, lambda one: one.host))
    assert len(pairs) == 2
    assert fmean(abs(pair.error) for pair in pairs) < 0.01


def test_a_host_without_other_conversations_is_left_out() -> None:
    alone = [asked("What do you see?", FORMS[0])]
    assert list(cross_validate_estimate.with_other_forms(alone, lambda one: one.host)) == []


def test_costs_are_fitted_without_what_they_are_tried_on() -> None:
    other = Fit(before_small_letter=0.55, before_capital=1.0, signs_in_one=2.5)
    questions = ('{"one": "two"}' * 90, '"A "B "C ' * 90, "((((( " * 90)
    seen = [asked(question, FORMS[0], other) for question in questions]
    assert cross_validate_estimate.fitted(seen) == other
    odd = [replace(asked(question, FORMS[0]), host="odd") for question in questions]
    pairs = cross_validate_estimate.with_other_costs([*seen, *odd], lambda one: one.host)
    # Each host is tried with the costs of the other, which are too high for the one and too low for the other.
    errors = [pair.error for pair in pairs]
    assert min(errors) < -0.05
    assert max(errors) > 0.05


def test_nothing_to_try_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cross_validate_estimate.main([str(tmp_path), "--file", str(tmp_path / "figures.md")]) == 1
    assert "no exchange with Kimi" in capsys.readouterr().err


@needs_recordings
def test_the_figures_are_those_of_the_document(tmp_path: Path) -> None:
    assert cross_validate_estimate.main([str(FOLDER), "--file", str(tmp_path / "figures.md")]) == 0
    written = (tmp_path / "figures.md").read_text()
    assert written == cross_validate_estimate.DOCUMENT.read_text()
    held_out = re.findall(r"fitted without its .* \| 56 \| ([\d.]+)% \| ([-+\d.]+)% \| ([-+\d.]+)%", written)
    assert len(held_out) == 3
    assert all(float(mean) < 4 and abs(float(worst)) < 15 and float(bias) > -5 for mean, worst, bias in held_out)
