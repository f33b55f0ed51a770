import copy
import json
import random
from typing import Any

import pytest

from langchain_kimi._kimi import call_ids
from langchain_kimi._kimi.call_ids import UniqueIds, with_distinct_ids, with_positional_ids
from langchain_kimi._openrouter.wire import WireMessage


def turn(*calls: tuple[str | None, str]) -> Any:
    return {"role": "assistant", "tool_calls": [{"id": call_id, "function": {"name": name}} for call_id, name in calls]}


def result(call_id: str | None, content: str = "") -> Any:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def ids(messages: list[Any]) -> list[Any]:
    """Return the ids of the calls and the results, in order."""
    listed: list[Any] = []
    for message in messages:
        listed += [call["id"] for call in message.get("tool_calls", ())]
        listed += [message["tool_call_id"]] if message["role"] == "tool" else []
    return listed


CONVERSATIONS = {
    "foreign ids": (
        [turn(("call_a", "f"), ("toolu_b", "g")), result("toolu_b"), result("call_a"), turn(("c", "f")), result("c")],
        ["functions.f:0", "functions.g:1", "functions.g:1", "functions.f:0", "functions.f:2", "functions.f:2"],
    ),
    "cleaned ids": ([turn(("functionsread0", "read")), result("functionsread0")], ["functions.read:0"] * 2),
    "short ids that start at 0 again": (
        [turn(("f:0", "f")), result("f:0"), turn(("f:0", "f")), result("f:0")],
        ["functions.f:0", "functions.f:0", "functions.f:1", "functions.f:1"],
    ),
    "one id twice in a turn": (
        [turn(("x", "f"), ("x", "g")), result("x", "of f"), result("x", "of g")],
        ["functions.f:0", "functions.g:1", "functions.f:0", "functions.g:1"],
    ),
    "empty and missing ids": (
        [turn(("", "f"), (None, "g")), result(""), result(None)],
        ["functions.f:0", "functions.g:1", "functions.f:0", "functions.g:1"],
    ),
    "an earlier turn without a result": (
        [turn(("x", "f")), turn(("x", "f")), result("x")],
        ["functions.f:0", "functions.f:1", "functions.f:1"],
    ),
    "a result that comes twice": ([turn(("x", "f")), result("x"), result("x")], ["functions.f:0"] * 3),
    "a result without a call": ([result("x"), turn(("y", "f"))], ["x", "functions.f:0"]),
    "a call without a name": ([turn(("x", ""))], ["functions.unknown_tool:0"]),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_ids_in_requests_have_kimis_form(name: str) -> None:
    messages, expected = CONVERSATIONS[name]
    before = copy.deepcopy(messages)
    sent = with_positional_ids(messages)
    assert ids(sent) == expected
    assert messages == before
    assert json.dumps(with_positional_ids(messages)) == json.dumps(sent)
    assert with_positional_ids(sent) is sent or ids(sent)[0] == "x"


def test_a_conversation_in_kimis_form_is_not_changed() -> None:
    messages: list[WireMessage] = [
        {"role": "user", "content": "a"},
        turn(("functions.f:0", "f"), ("functions.f:1", "f")),
        result("functions.f:0"),
        result("functions.f:1"),
    ]
    assert with_positional_ids(messages) is messages


def test_only_turns_with_a_missing_or_repeated_id_get_new_ids() -> None:
    right = [turn(("a", "f"), ("b", "f")), result("a"), result("b"), turn(("a", "f")), result("a")]
    assert with_distinct_ids(right) is right
    repeated = [turn(("x", "f"), ("x", "g")), result("x"), result("x")]
    missing = [turn((None, "h")), result(None)]
    assert ids(with_distinct_ids([*right, *repeated, *missing])) == [
        *("a", "b", "a", "b", "a", "a"),
        *("functions.f:3", "functions.g:4", "functions.f:3", "functions.g:4"),
        *("functions.h:5", "functions.h:5"),
    ]


def test_only_changed_messages_are_copied() -> None:
    right, wrong = turn(("functions.f:0", "f")), turn(("x", "f"))
    sent: list[Any] = with_positional_ids([right, wrong])
    assert sent[0] is right
    assert sent[1] is not wrong
    assert sent[1]["tool_calls"][0]["function"] is wrong["tool_calls"][0]["function"]


@pytest.mark.parametrize(
    ("taken", "ids_of_calls", "unique"),
    [
        ([], ["a", "b"], ["a", "b"]),
        ([], ["a", "a", "a"], ["a", "a_1", "a_2"]),
        (["f:0"], ["f:0"], ["f:5"]),
        (["f:0", "f:5"], ["f:0", "g:0"], ["f:6", "g:0"]),
        (["0"], ["0"], ["0_1"]),
        (["functions.f:0"], ["functions.f:0", "functions.f:0"], ["functions.f:5", "functions.f:6"]),
    ],
)
def test_ids_in_responses_are_unique(taken: list[str], ids_of_calls: list[str], unique: list[str]) -> None:
    unique_ids = UniqueIds(lambda: taken, lambda: 5)
    assert [unique_ids.unique(one) for one in ids_of_calls] == unique


def test_the_check_of_all_ids_finds_the_conversations_that_need_no_new_ids() -> None:
    choices = random.Random(1)  # noqa: S311 - the same conversations in each run
    unchanged = 0
    for _ in range(1000):
        messages: list[Any] = []
        for number in range(choices.randint(0, 3)):
            one = choices.choice([f"functions.f:{number}", f"functions.f:{number}", "x", "", None])
            messages.append(choices.choice([turn((one, "f")), turn((one, "f"), (f"functions.f:{number + 1}", "f"))]))
            messages.append(result(choices.choice([one, f"functions.f:{number}", "y"])))
        for repair, keeps_ids in (with_positional_ids, lambda _: False), (with_distinct_ids, call_ids._are_distinct):
            repaired = repair(messages)
            assert repaired == call_ids._with_new_ids(messages, keeps_ids)
            unchanged += repaired is messages
    assert 100 < unchanged < 1900
