import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from langchain_kimi._kimi import facts
from langchain_kimi._kimi.facts import DIRECTORY_VARIABLE, Facts
from langchain_kimi._kimi.price_rows import HostRow, ModelRow
from langchain_kimi._kimi.profiles import prices, profile, slugs_accepting

K4 = "moonshotai/kimi-k4"


def host(
    tag: str, prompt: float, completion: float, write: float | None = None, weights: str | None = "fp8"
) -> HostRow:
    return {"tag": tag, "quantization": weights, "prompt": prompt, "completion": completion, "cache_write": write}


def fetched(*hosts: HostRow, slug: str = K4) -> Facts:
    row: ModelRow = {
        "profile": {"name": "Kimi K4", "audio_inputs": True},
        "prices": {"prompt": 1.0, "completion": 2.0, "cache_read": None},
    }
    if hosts:
        row["hosts"] = [*hosts]
    return {"source": "https://a/models", "date": "2026-11-27", "aliases": {"~a/latest": slug}, "models": {slug: row}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_fetched_facts_are_before_the_packaged_ones() -> None:
    assert profile(K4) is None
    assert facts.use(fetched()) is None
    assert profile(K4) == {"name": "Kimi K4", "audio_inputs": True}
    listed = prices("~a/latest")
    assert listed is not None
    assert (listed.prompt, listed.source, listed.date) == (1.0, "https://a/models", "2026-11-27")
    assert profile("moonshotai/kimi-k3") is not None
    assert slugs_accepting("audio") == [K4]


def test_another_process_reads_the_file(folder: Path) -> None:
    assert facts.use(fetched()) == folder / "facts.json"
    facts.forget()
    assert profile(K4) is not None
    facts.use(fetched(slug="moonshotai/kimi-k5"))
    facts.forget()
    assert profile(K4) is not None
    assert [path.name for path in folder.iterdir()] == ["facts.json"]


def test_facts_of_a_local_server_are_not_kept_for_other_programs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = ModuleType("platformdirs")
    vars(module)["user_cache_dir"] = lambda name, appauthor: str(tmp_path / name)
    monkeypatch.setitem(sys.modules, "platformdirs", module)
    monkeypatch.delenv(DIRECTORY_VARIABLE)
    assert facts.use(fetched(), is_local=True) is None
    assert profile(K4) is not None
    assert facts.use(fetched()) == tmp_path / "langchain-kimi" / "facts.json"
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path / "named"))
    assert facts.use(fetched(), is_local=True) is not None


def test_without_platformdirs_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    monkeypatch.delenv(DIRECTORY_VARIABLE)
    assert facts.use(fetched()) is None


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"version": 1}',
        '{"version": 1, "models": {"a/b": {"profile": {}, "prices": null}}, "aliases": {}}',
        '{"version": 1, "models": [], "aliases": {}}',
        '{"version": 1, "models": {}, "aliases": [], "source": "", "date": ""}',
    ],
)
def test_a_broken_file_is_renamed_with_a_warning(folder: Path, content: str) -> None:
    folder.mkdir()
    (folder / "facts.json").write_text(content)
    with pytest.warns(UserWarning, match=r"renamed to facts\.broken"):
        assert profile(K4) is None
    assert [path.name for path in folder.iterdir()] == ["facts.broken"]
    assert profile("moonshotai/kimi-k3") is not None


def test_a_file_of_a_newer_version_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "facts.json").write_text(json.dumps({"version": 2}))
    assert profile(K4) is None
    assert (folder / "facts.json").exists()


HOSTS = (host("cheap/fp4", 1, 2, weights="fp4"), host("usual", 1.5, 3), host("dear/turbo", 4, 9, 5, weights=None))


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (None, (5, 9)),
        ({"only": ["cheap", "usual"]}, (1.5, 3)),
        ({"only": ["cheap/fp4"]}, (1, 2)),
        ({"ignore": ["dear"]}, (1.5, 3)),
        ({"order": ["cheap"]}, (5, 9)),
        ({"order": ["cheap"], "allow_fallbacks": False}, (1, 2)),
        ({"order": ["cheap", "dear"], "only": ["Cheap", "usual"], "allow_fallbacks": False}, (1, 2)),
        ({"order": ["dear"], "only": ["usual"], "allow_fallbacks": False}, (1.5, 3)),
        ({"only": ["cheap"], "allow_fallbacks": False}, (1, 2)),
        ({"quantizations": ["fp4", "fp8"]}, (1.5, 3)),
        ({"quantizations": ["unknown"]}, (5, 9)),
        ({"only": ["nobody"]}, (5, 9)),
        ({"max_price": {"prompt": 2, "completion": "4"}}, (2, 4)),
    ],
)
def test_the_highest_price_is_that_of_the_most_expensive_host_that_may_serve(
    provider: dict[str, object] | None, expected: tuple[float, float]
) -> None:
    facts.use(fetched(*HOSTS))
    listed = prices(K4, provider)
    assert listed is not None
    assert (listed.highest_prompt, listed.highest_completion) == expected
    facts.forget()
