from typing import Any

import pytest

from langchain_kimi._kimi.families import family
from langchain_kimi._kimi.repairs import ALL, ON_REQUEST, REPAIRS, chosen_repairs, may_change
from langchain_kimi._openrouter.wire import WireBody


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("all", ALL),
        (True, ALL),
        (None, ALL),
        ("none", frozenset()),
        (False, frozenset()),
        ([], frozenset()),
        ("markup", {"markup"}),
        ({"markup", "call_ids"}, {"markup", "call_ids"}),
        (frozenset({"markup"}), {"markup"}),
        (("schemas",), {"schemas"}),
        (["all", "orphans"], ALL | {"orphans"}),
        (["none"], frozenset()),
    ],
)
def test_a_choice_becomes_names(choice: Any, names: set[str]) -> None:
    assert chosen_repairs(choice) == names


def test_orphans_are_not_repaired_by_default() -> None:
    assert set(REPAIRS) - ALL == {"orphans"}


def test_an_unknown_name_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(ValueError, match=r"Unknown repair 'markdown'; did you mean 'markup'\?") as caught:
        chosen_repairs(["markdown", "zzz", "markup"])
    assert "Unknown repair 'zzz'. Known names: all, none, markup" in str(caught.value)


@pytest.mark.parametrize("choice", [{"none", "markup"}, ["none", "all"]])
def test_none_cannot_be_combined_with_other_names(choice: Any) -> None:
    with pytest.raises(ValueError, match="cannot be combined"):
        chosen_repairs(choice)


@pytest.mark.parametrize(("choice", "kind"), [({"markup": True}, "dict"), (1, "int"), (b"all", "bytes")])
def test_other_types_are_an_error(choice: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=f"not {kind}"):
        chosen_repairs(choice)


@pytest.mark.parametrize("name", REPAIRS)
def test_an_entry_is_complete(name: str) -> None:
    repair = REPAIRS[name]
    assert repair.name == name
    assert repair.summary.endswith(".")
    assert "|" not in repair.summary
    assert repair.stages
    assert ("request" in repair.stages) is (repair.on_request is not None)
    if repair.on_response or repair.on_arguments:
        assert {"event", "end"} <= set(repair.stages)


def test_repairs_of_requests_return_a_sound_body_unchanged() -> None:
    kimi = family("moonshotai/kimi-k2")
    assert kimi is not None
    body: WireBody = {"model": "moonshotai/kimi-k2", "messages": [{"role": "user", "content": "Hi"}]}
    for _, repair in ON_REQUEST:
        assert repair(body, kimi) is body


@pytest.mark.parametrize(
    ("text", "repairs", "answer"),
    [
        ("Hello", ALL, False),
        ("Hm.</think>Hello", ALL, True),
        ("Hm.</think>Hello", frozenset({"markup"}), False),
        ("Hello<|im_end|>", ALL, True),
        ("Hello<|im_end|>", frozenset({"think_tags"}), False),
    ],
)
def test_only_a_text_with_a_sign_of_a_mistake_may_be_changed(
    text: str, repairs: frozenset[str], *, answer: bool
) -> None:
    assert may_change(text, repairs) is answer
