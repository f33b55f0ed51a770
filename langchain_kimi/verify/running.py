"""Run the cases of a verification against each host, within a budget, and resume an interrupted run."""

import asyncio
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage

from langchain_kimi._costs.charges import cost_of_error
from langchain_kimi._kimi.price_rows import HostRow
from langchain_kimi._openrouter.http.calls import CLOCK, Clock
from langchain_kimi.bulk.purse import Purse, purse_of
from langchain_kimi.catalog.rows import host_row
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiBudgetExceededError, KimiError, KimiUsageError
from langchain_kimi.verify.cases import Case, load_cases, packaged_cases
from langchain_kimi.verify.judging import judge
from langchain_kimi.verify.observing import observe
from langchain_kimi.verify.report import Row, VerifyReport, report_of

MAX_TOKENS = 1024
"""The limit of an answer if the model has no limit of its own, so that `max_cost` can be kept."""
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class _Job:
    tag: str
    case: Case
    run: int

    @property
    def key(self) -> str:
        return f"{self.tag}/{self.case.key}/{self.run}"


@dataclass(slots=True)
class _Store:
    """The results, in memory and in a file with a JSON object per line."""

    model: str
    path: Path | None
    rows: dict[str, Row] = field(default_factory=dict)

    def load(self) -> None:
        """Read the results of an earlier run of the same model; failed requests are run again."""
        if self.path is None or not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            # The last line of an interrupted run may be incomplete.
            row = _parsed(line)
            if row is not None and row.get("model") == self.model and "after" in row:
                self.rows[row["key"]] = row

    def add(self, key: str, row: Mapping[str, Any]) -> None:
        """Keep a result."""
        self.rows[key] = row
        if self.path is not None:
            with self.path.open("ab+") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
                # A line that an interrupted run did not finish must not become the beginning of this one.
                begin = b"" if file.read(1) in {b"", b"\n"} else b"\n"
                line = json.dumps({"key": key, "model": self.model, **row})
                file.write(begin + line.encode() + b"\n")


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


@dataclass(slots=True)
class _Calls:
    """The calls of a run, with their money and their results.

    Attributes:
        are_refused: Whether some calls did not fit into the money.
    """

    model: ChatKimi
    hosts: Mapping[str, HostRow]
    store: _Store
    purse: Purse | None
    clock: Clock
    are_refused: bool = False

    async def make(self, jobs: Sequence[_Job], concurrency: int) -> None:
        """Make the calls, several at a time."""
        waiting = iter(jobs)
        workers = [asyncio.create_task(self._work(waiting)) for _ in range(max(1, concurrency))]
        try:
            await asyncio.gather(*workers)
        finally:
            # After an error, such as a full disk, the others would go on with calls that cost money.
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, waiting: Iterator[_Job]) -> None:
        for job in waiting:
            if self.purse is None:
                self.store.add(job.key, await _result(self.model, job, self.clock))
                continue
            try:
                await self.purse.reserve(job.key, _max_call_cost(self.model, job.case, self.hosts[job.tag]))
            except KimiBudgetExceededError:
                self.are_refused = True
                return
            row = await _result(self.model, job, self.clock)
            self.purse.settle(job.key, None if row["cost"] is None else Decimal(str(row["cost"])))
            self.store.add(job.key, row)


async def averify_hosts(  # noqa: PLR0913 - its options, by name
    model: ChatKimi,
    hosts: Sequence[str] | None = None,
    *,
    cases: Sequence[Case] | str | Path | None = None,
    runs: int = 1,
    reference: str | None = None,
    max_cost: float | None = None,
    concurrency: int = 5,
    results: str | Path | None = None,
    clock: Clock = CLOCK,
) -> VerifyReport:
    """Measure the hosts of a model with your own turns.

    Each case is sent to each host (`provider.only`, without fallbacks) as a stream. The response is judged twice,
    before and after the repairs of this package. The calls cost money.

    Args:
        model: The model, with its key and parameters.
        hosts: The slugs of the hosts; by default all that OpenRouter lists for the model.
        cases: Cases, or the path of a file with them (see `load_cases`); by default those of the package.
        runs: The number of times that each case is sent to each host.
        reference: The host that decides whether a call is expected if a case does not say so, such as `moonshotai`.
        max_cost: US dollars that the calls may cost. A call is only sent if its maximum cost is left; it waits while
            calls in progress may cost less than they have reserved.
        concurrency: The number of concurrent calls.
        results: A file to which each result is added. An interrupted run continues with it; failed calls are repeated.
        clock: The source of time.

    Raises:
        KimiUsageError: There are no hosts or cases, or `max_cost` allows no call.
        KimiError: The list of hosts could not be fetched.
        ImportError: The package `jsonschema` is not installed (the extra `validation`).
    """
    chosen = [*(load_cases(cases) if isinstance(cases, str | Path) else packaged_cases() if cases is None else cases)]
    listed = {host.tag: host_row(host) for host in (await model.acatalog().endpoints(model.model_name)).endpoints}
    tags = [*dict.fromkeys(listed if hosts is None else [hosts] if isinstance(hosts, str) else hosts)]
    if not tags or not chosen:
        raise KimiUsageError("There are no hosts to verify." if chosen else "There are no cases.")
    if unknown := [tag for tag in [*tags, *([reference] if reference else [])] if tag not in listed]:
        raise KimiUsageError(f"{', '.join(unknown)}: not a host of {model.model_name}; it has {', '.join(listed)}.")
    store = _Store(model.model_name, None if results is None else Path(results))
    store.load()
    purse = purse_of(_limit(max_cost), Decimal(0))
    limited = model if model.max_tokens else model.model_copy(update={"max_tokens": MAX_TOKENS})
    # Equal cases are one case, as in a run that is continued.
    jobs = {job.key: job for job in (_Job(tag, case, run) for run in range(runs) for case in chosen for tag in tags)}
    calls = _Calls(limited, listed, store, purse, clock)
    await calls.make([job for key, job in jobs.items() if key not in store.rows], concurrency)
    if calls.are_refused and not store.rows:
        raise KimiUsageError(f"max_cost={max_cost} allows no call.", advice="Raise it, or lower max_tokens.")
    rows = [store.rows[key] for key in jobs if key in store.rows]
    return report_of(model.model_name, rows, tags, reference, is_complete=not calls.are_refused)


def verify_hosts(model: ChatKimi, hosts: Sequence[str] | None = None, **options: Any) -> VerifyReport:
    """Measure the hosts of a model; see `averify_hosts`, which code in a running event loop must call instead."""
    return asyncio.run(averify_hosts(model, hosts, **options))


def _limit(max_cost: float | None) -> Decimal | None:
    if max_cost is None:
        return None
    if not math.isfinite(max_cost):
        raise KimiUsageError(f"max_cost must be a finite number, got {max_cost}.")
    return Decimal(str(max_cost))


def _max_call_cost(model: ChatKimi, case: Case, host: HostRow) -> Decimal:
    """Return the maximum cost of a call, in US dollars."""
    # Hosts count a prompt differently, by up to two thirds more with tools.
    prompt = model.count_tokens(case.messages, case.tools or None).tokens * 2
    written = case.parameters.get("max_tokens") or model.max_tokens or MAX_TOKENS
    price = max(host["prompt"], host["cache_write"] or 0.0)
    return Decimal(str(prompt * price + written * host["completion"])) / _MILLION


async def _result(model: ChatKimi, job: _Job, clock: Clock) -> Row:
    # The model's other preferences stay out of it: they could exclude the host that is measured.
    pinned = model.model_copy(
        update={"openrouter_provider": {"only": [job.tag], "allow_fallbacks": False}, "models": None}
    )
    row: dict[str, Any] = {"tag": job.tag, "case": job.case.key, "name": job.case.name, "call": job.case.call}
    try:
        seen = await observe(pinned, job.case, clock)
    except KimiError as error:
        paid = cost_of_error(error)
        cost = None if paid.cost is None else float(paid.cost + paid.upstream_cost)
        return {**row, "error": type(error).__name__, "message": str(error)[:300], "cost": cost}
    stages = dict(_judgements(job.case, before=seen.before, after=seen.after))
    times = {"first_token": seen.first_token, "seconds": seen.total}
    return {**row, **stages, **times, "cost": seen.cost, "tokens": [*seen.tokens]}


def _judgements(case: Case, **messages: AIMessage | None) -> Iterator[tuple[str, Any]]:
    for name, message in messages.items():
        if message is None:
            yield name, None
        else:
            judgement = judge(message, case)
            yield name, {**asdict(judgement), "finish_fits": judgement.finish_fits}
