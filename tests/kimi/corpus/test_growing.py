"""The answer's first leaked call, shown while it comes: what it becomes is the same, in every split."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from langchain_kimi.kimi.leaked_call import LeakedCall
from langchain_kimi.kimi.markup import MarkupScanner
from langchain_kimi.kimi.mend import Mending
from langchain_kimi.kimi.offered_tools import OfferedTools
from tests.kimi.corpus.cases import TOOLS, Case, expected_of, plain, splits, streamed, summed, told_by
from tests.kimi.corpus.healthy import HEALTHY
from tests.kimi.corpus.leaks import IN_CONTENT, IN_REASONING
from tests.kimi.corpus.varied_wire import VARIED_WIRE
from tests.kimi.corpus.wire import MISHAPS

# There a call is told twice, as markup and in its own form; of the first nothing can be taken back.
TWICE = {"leaked and structured", "leaked and structured, another id", "leaked and structured, written otherwise"}
# There the order of the two is that in which they come.
ORDERED = {"one structured, one leaked"}
WIRE = [*MISHAPS, *VARIED_WIRE]
CASES = [case for case in (*IN_CONTENT, *IN_REASONING, *HEALTHY, *WIRE) if case.name not in TWICE | ORDERED]
OFFERED = OfferedTools({"tools": TOOLS})


def growing(case: Case) -> Mending:
    return Mending(call_ids=lambda: case.taken, streams_leaks=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_message_is_the_same(case: Case) -> None:
    expected = expected_of(case)
    text, *others = splits(case)
    for deltas in [text, *others[:4], *others[4::25]]:
        assert told_by(streamed(case, deltas, growing(case)), case) == expected, deltas
    assert told_by(plain(case, growing(case))) == expected


@dataclass
class Scanned:
    """What came of a text that was fed to a scanner."""

    shown: str = ""
    handed_out: str = ""
    calls: list[LeakedCall] = field(default_factory=list)
    growing: LeakedCall | None = None


def scanned(pieces: list[str], *, grows: bool) -> Scanned:
    scanner, found = MarkupScanner(OFFERED, grows=grows), Scanned()
    for piece in pieces:
        found.shown += scanner.feed(piece)
        found.handed_out += scanner.growing.take() if scanner.growing else ""
    found.shown += scanner.close(clean=True)
    found.handed_out += scanner.growing.take() if scanner.growing else ""
    found.calls, found.growing = scanner.calls, scanner.growing.whole if scanner.growing else None
    return found


@pytest.mark.parametrize("case", IN_CONTENT, ids=lambda case: case.name)
def test_what_is_handed_out_is_the_first_call_s_and_all_of_it(case: Case) -> None:
    text: str = summed(case)["content"]
    for pieces in [[text], [*text], *([text[:at], text[at:]] for at in range(1, len(text)))]:
        due, found = scanned(pieces, grows=False), scanned(pieces, grows=True)
        assert (found.shown, found.calls, due.growing) == (due.shown, due.calls, None)
        assert found.handed_out == (found.growing.arguments if found.growing else "")
        assert found.growing in (None, *due.calls[:1])


def test_most_of_the_leaks_grow() -> None:
    texts: list[Any] = [[*summed(case)["content"]] for case in IN_CONTENT]
    assert sum(scanned(text, grows=True).growing is not None for text in texts) > len(texts) / 2


@pytest.mark.parametrize("name", sorted(TWICE))
def test_a_call_that_is_told_twice_is_there_twice(name: str) -> None:
    [case] = [case for case in WIRE if case.name == name]
    message = streamed(case, list(case.deltas), growing(case))
    assert [call["args"] for call in message.tool_calls] == [args for _, args, _ in case.calls] * 2
    assert len({call["id"] for call in message.tool_calls}) == 2
