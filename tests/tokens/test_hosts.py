import re
from dataclasses import replace

import pytest

from langchain_kimi._kimi.families import family
from langchain_kimi._tokens.hosts import PromptForm, _data, default_form, form_of_host, generation_name, possible_forms

K2, THINKING, K2_5, K3 = (family(f"moonshotai/kimi-{name}") for name in ("k2-0905", "k2-thinking", "k2.5", "k3"))
JSON, TYPESCRIPT = PromptForm("json"), PromptForm("typescript", default_system=False)


def test_the_form_of_a_template() -> None:
    assert [default_form(family) for family in (K2, THINKING, K2_5)] == [JSON, JSON, TYPESCRIPT]
    assert default_form(None) == replace(JSON, default_system=False)


def test_a_host_that_differs_is_known() -> None:
    assert form_of_host(K2, "moonshotai") == TYPESCRIPT
    assert form_of_host(K2, "moonshotai/turbo") == TYPESCRIPT
    assert form_of_host(K2_5, "chutes") == replace(TYPESCRIPT, reasoning=False)


@pytest.mark.parametrize("host", [None, "", "nobody", "moonshot"])
def test_of_other_hosts_nothing_is_known(host: str | None) -> None:
    assert form_of_host(K2, host) is None


def test_of_another_makers_model_nothing_is_known() -> None:
    assert form_of_host(None, "moonshotai") is None


def test_a_generation_shares_its_forms() -> None:
    newer = family("moonshotai/kimi-k2.7-code")
    assert newer
    assert generation_name(newer) == "kimi-k2.5"
    assert form_of_host(newer, "chutes") == form_of_host(K2_5, "chutes")
    assert form_of_host(THINKING, "groq") == form_of_host(K2, "groq")


def test_the_templates_own_form_comes_first_among_those_possible() -> None:
    for model, number in ((K2, 6), (THINKING, 12), (K2_5, 6)):
        forms = possible_forms(model)
        assert forms[0] == default_form(model)
        assert len(set(forms)) == len(forms) == number
    assert possible_forms(K3) == (default_form(K3),)
    assert possible_forms(None) == (default_form(None),)


def test_each_row_says_how_old_it_is() -> None:
    data = _data()
    rows = [row for hosts in data["forms"].values() for row in hosts.values()]
    assert len(rows) > 10
    assert all(re.fullmatch(r"20\d\d-\d\d", row["seen"]) and row["seen"] <= data["date"] for row in rows)
    assert all(row["prompts"] > 0 for row in rows)
