"""Plays the table of failures and the hostile servers on the transports that are not the default."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi.testing import Emulator
from langchain_kimi.testing.faults import CONNECTIONS, HOSTILE, HostileConnection, HostileFault
from tests.faults.cases import Case
from tests.faults.deviations import may_be
from tests.faults.relay import certificate
from tests.faults.test_faults import CASES, check_with_longer_limits
from tests.faults.test_hostile import check_fault
from tests.faults.test_hostile_connections import check_connection
from tests.faults.ways import WAYS
from tests.rows import each_row

ON = {"httptools": tuple(WAYS), "aiohttp": ("ainvoke", "astream")}
"""The ways to call that a transport serves. Sync calls of aiohttp use httpx."""
QUICK = frozenset(
    {
        "429 with Retry-After, then an answer",
        "401",
        "502 as an HTML page",
        "200 with an error body",
        "an error in the middle of a stream, alone",
        "the connection is reset",
        "the connection is closed within the body",
        "the connection is closed before the answer begins, then an answer",
        "silence within the answer",
    }
)
"""Failures that are played in every run of the tests."""
QUICK_REPLIES = frozenset(
    {"coding: unknown", "interim: other protocols", "chunk: rubbish after the last", "length: too small"}
)
QUICK_CONNECTIONS = frozenset({"closes at once", "resets within the reply", "TLS: cut chunks"})


def rows(table: Any, quick: frozenset[str]) -> Iterator[Any]:
    """Yield each entry of a table on each transport in each way; only a few are not long."""
    for transport, ways in ON.items():
        for number, (name, entry) in enumerate(table.items()):
            for way in ways:
                # A quick entry is played in one way, each in another one.
                is_quick = name in quick and way == ways[number % len(ways)]
                marks = [] if is_quick else [pytest.mark.long]
                yield pytest.param(entry, way, transport, id=f"{name}-{way}-{transport}", marks=marks)


@each_row("case, way, transport", rows({case.what: case for case in CASES}, QUICK))
def test_a_failure_gives_the_same_error_on_each_transport(
    server: Emulator, case: Case, way: str, transport: str
) -> None:
    check_with_longer_limits(server, replace(case, settings={**case.settings, "transport": transport}), way)


@each_row("fault, way, transport", rows(HOSTILE, QUICK_REPLIES))
def test_a_hostile_reply_hurts_no_transport(
    openrouter: Emulator, fault: HostileFault, way: str, transport: str
) -> None:
    check_fault(openrouter, fault, way, transport=transport)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


@each_row("hostile, way, transport", rows(CONNECTIONS, QUICK_CONNECTIONS))
def test_a_hostile_connection_hurts_no_transport(
    openrouter: Emulator,
    certified: tuple[Path, ssl.SSLContext],
    hostile: HostileConnection,
    way: str,
    transport: str,
) -> None:
    check_connection(openrouter, certified, hostile, way, transport=transport)


def test_an_answer_is_not_replaced_by_an_error_without_a_reason() -> None:
    replies = [fault for fault in HOSTILE.values() if fault.client == "answers"]
    assert replies
    for fault in replies:
        assert not may_be(fault.name, fault.client, "httpx")
        assert not may_be(fault.name, fault.client, "httptools")
