import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi._tokens.hosts import PromptForm
from scripts import fit_prompt_forms
from scripts.recorded_prompts import Exchange, Form, forms_of
from tests.recordings.exchanges import FOLDER, needs_recordings

K2, K2_5 = "moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.5"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look around, and tell what there is to be seen.",
        "parameters": {"type": "object", "properties": {"where": {"type": "string"}, "how": {"enum": ["a", "b"]}}},
    },
}
QUESTION: Any = {"role": "user", "content": "What do you see, and which of the two is it?"}
CALL: Any = {
    "role": "assistant",
    "reasoning": "I had better look. " * 8,
    "tool_calls": [{"id": "look:0", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
}
RESULT: Any = {"role": "tool", "tool_call_id": "look:0", "content": "A lake."}
TYPESCRIPT = PromptForm("typescript", default_system=False)


def prompt(form: PromptForm, month: str = "2030-01", model: str = K2, *, as_sent: bool = True) -> Exchange:
    """A prompt that a host has billed, and writes in a form."""
    messages = [QUESTION, CALL, RESULT]
    exchange = Exchange("Host", month, model, messages, [TOOL] * 3, 0, 0, "", "", "stop", has_calls=True, slug="host")
    return replace(exchange, prompt_tokens=round(Form(form, as_sent).estimate(exchange)))


@pytest.mark.parametrize("form", [*forms_of(K2), *forms_of(K2_5)])
def test_the_form_is_the_one_that_fits(form: Form) -> None:
    model = K2 if form in forms_of(K2) else K2_5
    seen = [prompt(form.written, model=model, as_sent=form.with_ids_as_sent)]
    assert fit_prompt_forms.best_form(seen) == form.written


def test_newer_prompts_weigh_more() -> None:
    json = PromptForm("json")
    assert fit_prompt_forms.best_form([prompt(json, "2029-06"), prompt(TYPESCRIPT, "2030-01")]) == TYPESCRIPT
    assert fit_prompt_forms.best_form([prompt(json, "2030-01"), prompt(TYPESCRIPT, "2029-06")]) == json


def test_a_host_with_several_forms_is_left_out() -> None:
    seen = [prompt(PromptForm("json")), prompt(TYPESCRIPT)]
    assert fit_prompt_forms.best_form(seen) is None
    assert fit_prompt_forms.fitted(seen)["forms"] == {"kimi-k2": {}}


def test_the_data_is_by_generation_and_host() -> None:
    prompts = [prompt(TYPESCRIPT), prompt(TYPESCRIPT, "2029-12"), prompt(TYPESCRIPT, "2030-02", K2_5)]
    data = fit_prompt_forms.fitted(prompts)
    row = {"tools": "typescript", "default_system": False, "reasoning": True}
    assert data["date"] == "2030-02"
    assert data["forms"] == {
        "kimi-k2": {"host": {**row, "seen": "2030-01", "prompts": 2}},
        "kimi-k2.5": {"host": {**row, "seen": "2030-02", "prompts": 1}},
    }


def test_nothing_to_fit_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit_prompt_forms.main([str(tmp_path), "--file", str(tmp_path / "forms.json")]) == 1
    assert "no dated exchange" in capsys.readouterr().err


@needs_recordings
def test_the_packaged_data_follows_from_the_recordings(tmp_path: Path) -> None:
    assert fit_prompt_forms.main([str(FOLDER), "--file", str(tmp_path / "forms.json")]) == 0
    assert json.loads((tmp_path / "forms.json").read_text()) == json.loads(fit_prompt_forms.FILE.read_text())
