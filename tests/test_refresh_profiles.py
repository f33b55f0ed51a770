import datetime as dt
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TypeAlias

import httpx
import pytest

ROOT = Path(__file__).parents[1]
DATA = ROOT / "langchain_kimi" / "_kimi" / "profiles.json"
Row: TypeAlias = dict[str, Any]

TODAY = dt.date(2030, 1, 2)


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh_profiles", ROOT / "scripts" / "refresh_profiles.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


refresh_profiles = load_script()


def row(slug: str, **changes: object) -> Row:
    return {
        "id": slug,
        "canonical_slug": f"{slug}-20300101",
        "name": "MoonshotAI: Kimi K9",
        "created": 1_893_456_000,
        "context_length": 2_000_000,
        "hugging_face_id": None,
        "architecture": {"input_modalities": ["text", "image", "audio"], "output_modalities": ["text"]},
        "pricing": {"prompt": "0.000000589", "completion": "0.00000248", "input_cache_read": "0.0000000992"},
        "top_provider": {"context_length": 2_000_000, "max_completion_tokens": 64_000, "is_moderated": False},
        "supported_parameters": ["reasoning", "structured_outputs", "temperature", "tool_choice", "tools"],
        "expiration_date": None,
        **changes,
    }


class Refresh:
    """Runs the command on a copy of the data file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.code: int | None = None

    def run(self, answer: httpx.Response) -> None:
        """Run it against a server that gives the answer."""
        requests = []

        def handler(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return answer

        client = httpx.Client(transport=httpx.MockTransport(handler))
        arguments = ["--base-url", "https://router.example/api/v1/", "--file", str(self.file)]
        self.code = refresh_profiles.main(arguments, client=client, today=TODAY)
        assert [request.url.path for request in requests] == ["/api/v1/models"]
        assert "authorization" not in requests[0].headers

    def __call__(self, *rows: Row) -> Row:
        """Run it against a list of models; returns the renewed data."""
        self.run(httpx.Response(200, json={"data": list(rows)}))
        after: Row = json.loads(self.file.read_text())
        return after

    @property
    def is_untouched(self) -> bool:
        return self.file.read_bytes() == DATA.read_bytes()


@pytest.fixture
def refresh(tmp_path: Path) -> Refresh:
    file = tmp_path / "profiles.json"
    file.write_bytes(DATA.read_bytes())
    return Refresh(file)


def test_the_packaged_file_is_as_the_command_writes_it() -> None:
    assert refresh_profiles.as_text(json.loads(DATA.read_text())) == DATA.read_text()


def test_a_new_kimi_is_written_with_source_and_date(refresh: Refresh, capsys: pytest.CaptureFixture[str]) -> None:
    after = refresh(row("moonshotai/kimi-k9"), row("openai/gpt-9"))
    assert refresh.code == 0
    assert after["source"] == "https://router.example/api/v1/models"
    assert after["date"] == "2030-01-02"
    assert "openai/gpt-9" not in after["models"]
    assert after["models"]["moonshotai/kimi-k9"] == {
        "prices": {"prompt": 0.589, "completion": 2.48, "cache_read": 0.0992, "cache_write": None},
        "profile": {
            "name": "Kimi K9",
            "release_date": "2030-01-01",
            "last_updated": "2030-01-01",
            "open_weights": False,
            "max_input_tokens": 2_000_000,
            "max_output_tokens": 64_000,
            "text_inputs": True,
            "image_inputs": True,
            "audio_inputs": True,
            "video_inputs": False,
            "pdf_inputs": True,
            "text_outputs": True,
            "image_outputs": False,
            "audio_outputs": False,
            "video_outputs": False,
            "attachment": True,
            "temperature": True,
            "structured_output": True,
            "tool_calling": True,
            "tool_call_streaming": True,
            "tool_choice": True,
            "reasoning_output": True,
        },
    }
    assert "moonshotai/kimi-k9: new" in capsys.readouterr().out


def test_the_file_has_its_keys_sorted(refresh: Refresh) -> None:
    refresh(row("moonshotai/kimi-k9"))
    text = refresh.file.read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_same_list_gives_the_same_bytes(refresh: Refresh) -> None:
    refresh(row("moonshotai/kimi-k9"))
    first = refresh.file.read_bytes()
    refresh(row("moonshotai/kimi-k9"))
    assert refresh.file.read_bytes() == first


def test_a_known_model_keeps_fields_that_the_list_lacks(refresh: Refresh, capsys: pytest.CaptureFixture[str]) -> None:
    slug = "moonshotai/kimi-k2.6"
    before = json.loads(DATA.read_text())["models"][slug]["profile"]
    profile = refresh(row(slug, top_provider={"max_completion_tokens": None}))["models"][slug]["profile"]
    for key in ("release_date", "last_updated", "max_output_tokens", "open_weights"):
        assert profile[key] == before[key]
    assert profile["max_input_tokens"] == 2_000_000
    assert f"{slug}: changed" in capsys.readouterr().out


def test_a_kimi_that_is_listed_no_more_stays_as_deprecated(
    refresh: Refresh, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(DATA.read_text())["models"]
    after = refresh(row("moonshotai/kimi-k9"))["models"]
    assert after["moonshotai/kimi-k2"]["profile"] == {**before["moonshotai/kimi-k2"]["profile"], "status": "deprecated"}
    assert after["moonshotai/kimi-k2"]["prices"] == before["moonshotai/kimi-k2"]["prices"]
    assert "moonshotai/kimi-k2.5: same" in capsys.readouterr().out, "it was deprecated before"


def test_a_kimi_with_an_end_date_is_deprecated_and_one_without_is_not(refresh: Refresh) -> None:
    after = refresh(row("moonshotai/kimi-k9", expiration_date="2030-09-07"), row("moonshotai/kimi-k2.5"))["models"]
    assert after["moonshotai/kimi-k9"]["profile"]["status"] == "deprecated"
    assert "status" not in after["moonshotai/kimi-k2.5"]["profile"]


def test_an_alias_follows_its_target(refresh: Refresh) -> None:
    after = refresh(
        row("moonshotai/kimi-k9"),
        row("~moonshotai/kimi-latest", alias_target="moonshotai/kimi-k9-20300101"),
    )
    assert after["aliases"] == {"~moonshotai/kimi-latest": "moonshotai/kimi-k9"}
    assert "~moonshotai/kimi-latest" not in after["models"]


def test_an_alias_without_a_target_stays(refresh: Refresh) -> None:
    after = refresh(row("moonshotai/kimi-k9"), row("~moonshotai/kimi-latest"))
    assert after["aliases"] == {"~moonshotai/kimi-latest": "moonshotai/kimi-k3"}


@pytest.mark.parametrize(
    "slug",
    [
        "moonshotai/kimi-k9:free",
        "moonshotai/kimi-k9-20300101",
        "moonshotai/kimi-dev-72b",
        "somebody/kimi-k9-uncensored",
    ],
)
def test_variants_and_strangers_get_no_row(refresh: Refresh, slug: str) -> None:
    after = refresh(row("moonshotai/kimi-k3"), row(slug))
    assert set(after["models"]) == set(json.loads(DATA.read_text())["models"])


@pytest.mark.parametrize(
    ("slug", "answer"),
    [("moonshotai/kimi-k2-0905", True), ("moonshotai/kimi-k2.6", False), ("moonshotai/kimi-k2-thinking", False)],
)
def test_the_profile_of_a_reasoning_kimi_has_no_forced_tool_calls(refresh: Refresh, slug: str, *, answer: bool) -> None:
    assert refresh(row(slug))["models"][slug]["profile"]["tool_choice"] is answer


@pytest.mark.parametrize(
    ("reasoning", "levels"),
    [
        (None, {}),
        ({"supported_efforts": None, "default_effort": "medium"}, {}),
        ({"supported_efforts": ["low", "max"]}, {"reasoning_effort_levels": ["low", "max"]}),
        (
            {"supported_efforts": ["low", "max"], "default_effort": "max"},
            {"reasoning_effort_levels": ["low", "max"], "reasoning_effort_default": "max"},
        ),
    ],
)
def test_efforts_are_written_if_the_catalog_lists_them(refresh: Refresh, reasoning: Row | None, levels: Row) -> None:
    profile = refresh(row("moonshotai/kimi-k9", reasoning=reasoning))["models"]["moonshotai/kimi-k9"]["profile"]
    assert {key: value for key, value in profile.items() if key.startswith("reasoning_effort")} == levels


def test_a_sparse_row_counts_as_text_without_abilities(refresh: Refresh) -> None:
    sparse = {
        "id": "moonshotai/kimi-k9",
        "name": "Kimi K9",
        "created": 1_893_456_000,
        "context_length": 1000,
        "pricing": {"prompt": "0.000001", "completion": "0.000002"},
    }
    refreshed = refresh(sparse)["models"]["moonshotai/kimi-k9"]
    assert refreshed["prices"] == {"prompt": 1.0, "completion": 2.0, "cache_read": None, "cache_write": None}
    assert refreshed["profile"]["name"] == "Kimi K9"
    assert refreshed["profile"]["text_inputs"]
    assert not refreshed["profile"]["image_inputs"]
    assert not refreshed["profile"]["tool_calling"]
    assert "max_output_tokens" not in refreshed["profile"]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("openai/gpt-9")],
        [{"id": "moonshotai/kimi-k9"}],
        [row("moonshotai/kimi-k9", pricing={"prompt": "cheap", "completion": "0"})],
    ],
    ids=["empty", "no Kimi", "half a row", "no price"],
)
def test_a_list_that_is_no_use_changes_nothing(
    refresh: Refresh, capsys: pytest.CaptureFixture[str], rows: list[Row]
) -> None:
    refresh(*rows)
    assert refresh.is_untouched
    assert refresh.code == 1
    assert "Nothing was changed" in capsys.readouterr().err


def test_a_refusal_changes_nothing(refresh: Refresh, capsys: pytest.CaptureFixture[str]) -> None:
    refresh.run(httpx.Response(503, text="down for maintenance"))
    assert refresh.is_untouched
    assert refresh.code == 1
    assert "down for maintenance" in capsys.readouterr().err


def test_prices_from_the_package_keep_the_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "profiles.json"
    file.write_bytes(DATA.read_bytes())
    arguments = ["--prices-from-package", "--file", str(file)]
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert refresh_profiles.main(arguments, today=TODAY) == 1
    assert "Nothing was changed: ModuleNotFoundError" in capsys.readouterr().err
    package = ModuleType("genai_prices")
    table = ModuleType("genai_prices.data")
    price = SimpleNamespace(input_mtok=7, output_mtok=9, cache_read_mtok=1, cache_write_mtok=8)
    row = SimpleNamespace(id="moonshotai/kimi-k3", prices=price)
    vars(table)["providers"] = [SimpleNamespace(id="openrouter", models=[row])]
    monkeypatch.setitem(sys.modules, "genai_prices", package)
    monkeypatch.setitem(sys.modules, "genai_prices.data", table)
    (tmp_path / "genai_prices-9.9.dist-info").mkdir()
    (tmp_path / "genai_prices-9.9.dist-info" / "METADATA").write_text("Name: genai-prices\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert refresh_profiles.main(arguments, today=TODAY) == 0
    before, after = json.loads(DATA.read_text()), json.loads(file.read_text())
    assert after["prices_source"].startswith("genai-prices 9.9")
    assert (after["prices_date"], after["date"]) == ("2030-01-02", before["date"])
    new = after["models"].pop("moonshotai/kimi-k3")
    assert new["profile"] == before["models"].pop("moonshotai/kimi-k3")["profile"]
    paid = {"prompt": 7, "completion": 9, "cache_read": 1, "cache_write": 8}
    assert new["prices"] == {**paid, "source": "genai-prices 9.9, OpenRouter", "date": "2030-01-02"}
    assert {slug: model["prices"] for slug, model in after["models"].items()} == {
        slug: model["prices"] for slug, model in before["models"].items()
    }


def test_cache_writes_come_from_litellm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"input_cost_per_token": 2e-6, "output_cost_per_token": 1e-5, "cache_creation_input_token_cost": 4e-6}
    (tmp_path / "litellm").mkdir()
    (tmp_path / "litellm" / "__init__.py").write_text("raise RuntimeError('imported')")
    table = {"moonshot/kimi-k2.6": row, "moonshot/kimi-k3": {}}
    (tmp_path / "litellm" / "model_prices_and_context_window_backup.json").write_text(json.dumps(table))
    for package in ("litellm", "genai_prices"):
        (tmp_path / f"{package}-9.9.dist-info").mkdir()
        (tmp_path / f"{package}-9.9.dist-info" / "METADATA").write_text(f"Name: {package}\nVersion: 9.9\n")
    prices = ModuleType("genai_prices.data")
    price = SimpleNamespace(input_mtok=1, output_mtok=20, cache_read_mtok=None, cache_write_mtok=None)
    vars(prices)["providers"] = [
        SimpleNamespace(id="openrouter", models=[SimpleNamespace(id="moonshotai/kimi-k2.6", prices=price)])
    ]
    monkeypatch.setitem(sys.modules, "genai_prices", ModuleType("genai_prices"))
    monkeypatch.setitem(sys.modules, "genai_prices.data", prices)
    monkeypatch.syspath_prepend(str(tmp_path))
    file = tmp_path / "profiles.json"
    file.write_bytes(DATA.read_bytes())
    assert refresh_profiles.main(["--prices-from-package", "--file", str(file)], today=TODAY) == 0
    after = json.loads(file.read_text())
    kimi = after["models"]["moonshotai/kimi-k2.6"]
    assert (kimi["prices"]["cache_write"], kimi["highest"]) == (4.0, {"prompt": 4.0, "completion": 20.0})
    assert "litellm 9.9" in after["prices_source"]


@pytest.mark.parametrize("listed", [None, {}])
def test_a_model_that_litellm_lacks_stays(listed: Any) -> None:
    row: Any = {"prices": {"prompt": 1}}
    assert refresh_profiles.with_litellm(row, listed) is row
    priced: Any = {"prices": {"prompt": 1.0, "cache_write": None}}
    of_maker = refresh_profiles.with_litellm(priced, {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6})
    assert of_maker["highest"] == {"prompt": 1.0, "completion": 2.0}
