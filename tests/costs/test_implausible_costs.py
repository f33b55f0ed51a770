"""Replies with costs and token counts that cannot be right, over a socket in all four ways to call."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi.callbacks import Budget
from langchain_kimi.testing import Emulator, RawReply
from tests.chat.asking import WAYS, Way, ask
from tests.costs.conftest import STORY

HUGE = "1" + "0" * 400
LONGEST = "1" + "0" * 5_000
TOKENS = '"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7'

BODY = '{"id": "gen-1", "model": "moonshotai/kimi-k2", "choices": [CHOICE], "usage": USAGE}'


def reply(usage: str, *, streamed: bool) -> RawReply:
    if not streamed:
        choice = '{"index": 0, "message": {"content": "Yes."}, "finish_reason": "stop"}'
        body = BODY.replace("CHOICE", choice).replace("USAGE", usage)
        return RawReply(headers={"content-type": "application/json"}, body=body.encode())
    choice = '{"index": 0, "delta": {"content": "Yes."}, "finish_reason": "stop"}'
    events = (BODY.replace("CHOICE", choice).replace("USAGE", usage), "[DONE]")
    body = "".join(f"data: {event}\n\n" for event in events)
    return RawReply(headers={"content-type": "text/event-stream"}, body=body.encode())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("usage", "sums"),
    [
        (f'{{{TOKENS}, "cost": -3000}}', (0, 7)),
        (f'{{{TOKENS}, "cost": {HUGE}}}', (1_000_000, 7)),
        (f'{{{TOKENS}, "cost": 1e999}}', (1_000_000, 7)),
        (f'{{{TOKENS}, "cost": {LONGEST}}}', (1_000_000, 7)),
        (f'{{"prompt_tokens": {LONGEST}, "completion_tokens": 4, "cost": 0.5}}', (0.5, 4)),
        ('{"prompt_tokens": -3, "completion_tokens": -4, "total_tokens": -7, "cost": 0.5}', (0.5, 0)),
    ],
    ids=["negative cost", "400 digits", "infinite cost", "5,000 digits", "tokens of 5,000 digits", "negative tokens"],
)
async def test_the_answer_survives_and_the_sums_stay_plausible(
    model: ChatKimi, openrouter: Emulator, way: Way, usage: str, sums: tuple[float, int]
) -> None:
    openrouter.script(reply(usage, streamed="stream" in way))
    budget = Budget(max_cost=2_000_000)
    bound: Any = model.with_config({"callbacks": [budget]})
    before = budget.spent
    answer = await ask(bound, way, [HumanMessage(STORY)])
    assert answer.text == "Yes."
    assert (budget.total.cost, budget.total.total_tokens) == sums
    assert budget.spent >= before
    assert str(budget)
