"""Charges, refusals and the state of a budget in one process."""

import copy
import pickle
from decimal import Decimal

import pytest
from langchain_core.messages.ai import UsageMetadata

from langchain_kimi._costs.charges import CallCost
from langchain_kimi._costs.reservations import InProcess, Reservation, charge_for, refused
from langchain_kimi._costs.store import Amount, Charge, Shortage

MOST = Reservation(Amount(Decimal(1), 100), prompt_tokens=50)
USAGE = UsageMetadata(input_tokens=1_000, output_tokens=100, total_tokens=1_100)
SLUG = "moonshotai/kimi-k2-0905"


@pytest.mark.parametrize(
    ("cost", "charge"),
    [
        (CallCost(cost=Decimal("0.5"), upstream_cost=Decimal("0.1"), usage=USAGE), Charge(Decimal("0.6"), 1_100)),
        (CallCost(cost=Decimal(0)), Charge(Decimal(0), 0)),
        (CallCost(cost=Decimal("0.5")), Charge(Decimal("0.5"), None)),
        (CallCost(), Charge(None, None)),
        (CallCost(model="unlisted", usage=USAGE), Charge(None, 1_100)),
    ],
)
def test_a_call_is_charged_with_its_reported_cost(cost: CallCost, charge: Charge) -> None:
    assert charge_for(cost, MOST) == charge


def test_tokens_without_a_cost_have_their_list_price() -> None:
    charge = charge_for(CallCost(model=SLUG, usage=USAGE), MOST)
    assert charge.cost is not None
    assert 0 < charge.cost < Decimal("0.01")


def test_unknown_tokens_are_charged_only_if_tokens_were_reserved() -> None:
    assert charge_for(CallCost(cost=Decimal(1)), Reservation(Amount(Decimal(1)))) == Charge(Decimal(1), 0)


def test_a_longer_prompt_than_expected_widens_the_margin() -> None:
    here = InProcess(is_shared=False)
    before = here.margin
    here.learn(MOST, 50)
    assert here.margin == before
    here.learn(MOST, 100)
    assert here.margin == pytest.approx(before * 2 * 1.05)
    here.learn(MOST, 60)
    assert here.margin == pytest.approx(before * 2 * 1.05)


def test_copies_share_the_state_and_pickles_drop_it() -> None:
    here = InProcess(is_shared=True)
    here.calls[1] = MOST
    assert copy.deepcopy(here) is here
    again = pickle.loads(pickle.dumps(here))  # noqa: S301 - written one line above
    assert (again.calls, again.is_shared) == ({}, True)


def test_a_refusal_names_the_amounts() -> None:
    numbers = (Decimal(1), Decimal("0.5"), Decimal("0.25"), Decimal("0.3"))
    error = refused(Shortage("USD", *numbers))
    assert "0.5 of 1 USD spent, 0.25 USD reserved for calls in flight, and the call may cost 0.3 USD." in str(error)
    assert (error.spent, error.limit, error.unit) == (0.5, 1.0, "USD")
    error = refused(Shortage("tokens", Decimal(1_000), Decimal(1_000), Decimal(0), Decimal(10)))
    assert "1,000 of 1,000 tokens spent." in str(error)
    assert (error.spent, error.limit, error.unit) == (1_000, 1_000, "tokens")
    assert "and the call may cost 10 tokens" in str(refused(Shortage("tokens", *map(Decimal, (100, 95, 5, 10)))))
    assert "earlier calls wait" in str(refused(None))
