import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest

from tests.recordings.exchanges import FOLDER, needs_recordings

ROOT = Path(__file__).parents[1]
SYSTEM = {"role": "system", "content": "You are a helpful assistant"}


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calibrate_estimate", ROOT / "scripts" / "calibrate_estimate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclasses look themselves up there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


calibrate_estimate = load_script()


def record(
    folder: Path, reply: str, request: Any, *, model: str = "moonshotai/kimi-k2-0905", status: int = 200
) -> None:
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"model": model, "status": status}))
    (folder / "request.json").write_text(json.dumps({"url": "https://api.example.com/v1", "body": request}))
    (folder / "response.body").write_text(reply)


def plain(content: str, prompt_tokens: int, completion_tokens: int, **more: Any) -> str:
    return json.dumps(
        {
            "created": 1_764_000_000,
            "choices": [{"finish_reason": "stop", "message": {"content": content}}],
            "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens},
            **more,
        }
    )


def streamed(*events: dict[str, Any]) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"


def sent_request(words: int) -> dict[str, Any]:
    return {"messages": [SYSTEM, {"role": "user", "content": "word " * words}]}


def test_prompts_and_answers_are_measured(tmp_path: Path) -> None:
    recordings, file = tmp_path / "recordings", tmp_path / "figures.md"
    record(recordings / "1", plain(" ten" * 40, 120, 41, provider="Novita"), sent_request(100))
    usage = {"prompt_tokens": 100, "completion_tokens": 60}
    record(
        recordings / "2",
        streamed(
            {"created": 1, "provider": "Novita", "choices": [{"delta": {"reasoning": "Well. " * 20}}]},
            {"choices": [{"delta": {"content": "Hm " * 18}, "finish_reason": "stop"}]},
            {"choices": [], "usage": usage},
        ),
        json.dumps(sent_request(80)),
        model="moonshotai/kimi-k2.5",
    )
    record(recordings / "3", plain("", 1, 1), sent_request(1), model="openai/gpt-5")
    record(recordings / "4", "", sent_request(1), status=429)
    record(recordings / "5", plain("", 1, 1), None)
    assert calibrate_estimate.main([str(recordings), "--file", str(file)]) == 0
    figures = file.read_text()
    assert "from 2 recorded exchanges" in figures
    assert "| Novita · kimi-k2 | 1 |" in figures
    assert "| Novita · kimi-k2.5 | 1 |" in figures
    assert "| 20 to 59 tokens | 1 | 0.0% | +0.0% | +0.0% |" in figures
    assert "| with rulers of dashes | 0 | | | |" in figures


def test_the_form_of_a_host_is_the_one_that_fits() -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    messages = [{"role": "user", "content": "Look around you and tell me what you see."}]
    exchange = calibrate_estimate.Exchange(
        "host", "2030-01", "moonshotai/kimi-k2", messages, tools, 0, 0, "", "", "stop", has_calls=False
    )
    for form in calibrate_estimate.forms_of("moonshotai/kimi-k2"):
        true = round(form.estimate(exchange))
        reported = calibrate_estimate.Exchange(
            "host", "2030-01", "moonshotai/kimi-k2", messages, tools, true, 0, "", "", "stop", has_calls=False
        )
        [pair] = calibrate_estimate.pairs_in_best_form([reported])
        assert abs(pair.error) < 0.02


def test_nothing_to_measure_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate_estimate.main([str(tmp_path), "--file", str(tmp_path / "figures.md")]) == 1
    assert "no exchanges with Kimi" in capsys.readouterr().err
    assert not (tmp_path / "figures.md").exists()


@needs_recordings
def test_the_figures_are_those_of_the_document(tmp_path: Path) -> None:
    calibrate_estimate.main([str(FOLDER), "--file", str(tmp_path / "figures.md")])
    assert (tmp_path / "figures.md").read_text() == calibrate_estimate.DOCUMENT.read_text()


@needs_recordings
def test_the_estimate_has_the_documented_accuracy() -> None:
    all_exchanges = list(calibrate_estimate.exchanges(FOLDER))
    long = [exchange for exchange in all_exchanges if exchange.prompt_tokens > 50]
    groups = calibrate_estimate.grouped(long, calibrate_estimate.of_host_then).values()
    errors = [pair.error for group in groups for pair in calibrate_estimate.pairs_in_best_form(group)]
    answers = [pair.error for pair in calibrate_estimate.answers(all_exchanges, lambda _: True)]
    assert sum(map(abs, errors)) / len(errors) < 0.04
    assert max(map(abs, errors)) < 0.15
    assert abs(sum(errors)) / len(errors) < 0.025
    assert sum(map(abs, answers)) / len(answers) < 0.05


@needs_recordings
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("later turns, same host", 10),
        ("all with a known host", 20),
        ("the same, forms fitted without the conversation", 20),
    ],
)
def test_the_estimate_is_as_good_for_a_model_that_knows_the_host(name: str, number: int) -> None:
    errors = [pair.error for pair in as_models_count()[name]]
    assert len(errors) == number
    assert sum(map(abs, errors)) / len(errors) < 0.04
    assert max(map(abs, errors)) < 0.15
    assert abs(sum(errors)) / len(errors) < 0.025


@cache
def as_models_count() -> dict[str, list[Any]]:
    all_exchanges = list(calibrate_estimate.exchanges(FOLDER))
    return cast("dict[str, list[Any]]", calibrate_estimate.as_a_model_counts(all_exchanges))
