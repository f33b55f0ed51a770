"""The verifier against an emulator whose hosts have planted faults."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi import ChatKimi, averify_hosts, verify_hosts
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import SAMPLE_HOSTS, EmulatedHost, Emulator, faults
from langchain_kimi.verify import Rate
from langchain_kimi.verify.running import _judgements
from tests.conftest import KEY
from tests.verify.answers import CALLING, PLANNING, TALKING

CASES = [CALLING, TALKING]


@pytest.fixture
def habits(openrouter: Emulator) -> Emulator:
    openrouter.behave(hosts=tuple(host for host in SAMPLE_HOSTS if host.tag != "slow"), prompt_cache=False)
    return openrouter


@pytest.fixture
def kimi(habits: Emulator) -> ChatKimi:
    return ChatKimi(api_key=KEY, base_url=habits.base_url, max_retries=0, provider={"ignore": ["steady"]})


@pytest.mark.uncovered
def test_the_planted_hosts_are_found(kimi: ChatKimi) -> None:
    report = verify_hosts(kimi, runs=6, cases=[CALLING, PLANNING])
    hosts = {host.tag: host for host in report.hosts}
    assert {tag: host.verdict for tag, host in hosts.items()} == {
        "steady": "good",
        "leaky": "good",
        "expensive": "good",
        "careless": "bad",
        "broken": "bad",
    }
    assert (hosts["leaky"].before.leaked, hosts["leaky"].after.leaked) == (Rate(6, 12), Rate(0, 12))
    assert hosts["careless"].after.valid == Rate(0, 6)
    assert hosts["careless"].after.structured == Rate(0, 6)
    assert hosts["broken"].errors == {"KimiServerError": 12}
    assert hosts["careless"].after.good.interval[1] < 0.8 < hosts["steady"].after.good.share  # type: ignore[operator]  # it has answers
    assert "times the usual price" in " ".join(hosts["expensive"].notes)
    assert report.preferences.ignore == ("careless", "broken")
    assert report.cost == pytest.approx(sum(host.cost for host in report.hosts))
    assert report.is_complete


async def test_each_call_is_pinned_to_its_host(habits: Emulator, kimi: ChatKimi) -> None:
    report = await averify_hosts(kimi, ["expensive"], cases=CASES, reference="expensive")
    assert [host.tag for host in report.hosts] == ["expensive"]
    assert {json.dumps(body["provider"]) for body in habits.bodies} == {
        '{"only": ["expensive"], "allow_fallbacks": false}'
    }
    assert {body["max_tokens"] for body in habits.bodies} == {1024}
    assert report.hosts[0].first_token is not None


async def test_the_budget_is_kept(habits: Emulator, kimi: ChatKimi) -> None:
    report = await averify_hosts(kimi, ["steady"], cases=CASES, runs=20, max_cost=0.0035, concurrency=1)
    assert 0 < report.cost <= 0.0035
    assert not report.is_complete
    assert report.calls == len(habits.bodies) < 40
    with pytest.raises(KimiUsageError, match="allows no call"):
        await averify_hosts(kimi, ["steady"], cases=CASES, max_cost=0.0001)


async def test_calls_wait_for_the_money_that_others_do_not_need(habits: Emulator, kimi: ChatKimi) -> None:
    report = await averify_hosts(kimi, ["steady"], cases=CASES, runs=3, max_cost=0.0035, concurrency=5)
    assert report.is_complete
    assert report.calls == len(habits.bodies) == 6


async def test_a_run_is_resumed_and_only_failed_calls_are_repeated(
    habits: Emulator, kimi: ChatKimi, tmp_path: Path
) -> None:
    file = tmp_path / "results.jsonl"
    options: dict[str, Any] = {"cases": CASES, "results": file}
    first = await averify_hosts(kimi, ["steady", "broken"], **options)
    with file.open("a") as text:
        text.write('[]\n{"key": "half')
    sent = len(habits.bodies)
    second = await averify_hosts(kimi, ["steady", "broken"], **options)
    assert [body["provider"]["only"] for body in habits.bodies[sent:]] == [["broken"], ["broken"]]
    # The line that a killed run did not finish is alone, and the next one is whole.
    assert file.read_text().count('{"key": "half\n{"key": "broken/') == 1
    assert [host.tag for host in second.hosts] == [host.tag for host in first.hosts]
    assert second.cost == first.cost
    # Results of another model do not count.
    other = kimi.model_copy(update={"model_name": "moonshotai/kimi-k3"})
    assert (await averify_hosts(other, ["steady"], cases=CASES, results=file)).calls == 2
    assert len(habits.bodies) == sent + 4


async def test_a_failed_call_counts_with_its_maximum_cost_if_it_may_be_charged(
    habits: Emulator, kimi: ChatKimi
) -> None:
    habits.script(faults.connection_cut(), times=None)
    report = await averify_hosts(kimi, ["steady"], cases=CASES, runs=20, max_cost=0.0035, concurrency=1)
    assert 0 < len(habits.bodies) < 4
    assert not report.is_complete


async def test_after_an_error_no_further_call_is_sent(tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    # Other tests use another emulator, because requests of cancelled calls may arrive later.
    with Emulator() as emulator:
        emulator.behave(hosts=SAMPLE_HOSTS)
        kimi = ChatKimi(api_key=KEY, base_url=emulator.base_url, max_retries=0)
        with pytest.raises(FileNotFoundError):
            await averify_hosts(kimi, ["steady"], cases=CASES, runs=20, results=tmp_path / "missing" / "results.jsonl")
        assert asyncio.all_tasks() == before
        assert len(emulator.bodies) <= 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cases": []}, "no cases"),
        ({"hosts": []}, "no hosts"),
        ({"hosts": ["nobody"]}, "nobody: not a host of moonshotai/kimi-k2-0905; it has steady, leaky"),
        ({"reference": "nobody"}, "nobody: not a host"),
        ({"cases": "missing.jsonl"}, "cannot be read"),
        ({"max_cost": float("nan")}, "max_cost must be a finite number, got nan"),
    ],
)
def test_invalid_options_send_no_call(habits: Emulator, kimi: ChatKimi, options: dict[str, Any], message: str) -> None:
    with pytest.raises(KimiUsageError, match=message):
        verify_hosts(kimi, **options)
    assert habits.bodies == []


async def test_equal_cases_and_hosts_are_called_once(habits: Emulator, kimi: ChatKimi) -> None:
    report = await averify_hosts(kimi, ["steady", "steady"], cases=[CALLING, TALKING, CALLING])
    assert ([host.tag for host in report.hosts], report.calls) == (["steady"], 2)
    assert report.hosts[0].before.good.total == len(habits.bodies) == 2
    assert (await averify_hosts(kimi, "steady", cases=CASES)).calls == 2


def test_a_file_of_cases_is_read(habits: Emulator, kimi: ChatKimi, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "Hello."}]}')
    habits.behave(hosts=(EmulatedHost(tag="only", name="Only"),))
    limited = kimi.model_copy(update={"max_tokens": 50})
    assert verify_hosts(limited, cases=str(file)).calls == 1
    assert habits.bodies[0]["max_tokens"] == 50


def test_a_response_that_cannot_be_read_without_repairs_has_no_judgement() -> None:
    assert dict(_judgements(TALKING, before=None)) == {"before": None}
