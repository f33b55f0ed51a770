import copy
from typing import Any

import pytest

from langchain_kimi._kimi.outgoing import check_and_repair, prepare
from langchain_kimi._kimi.repairs import ALL
from langchain_kimi._openrouter.wire import WireBody, WireMessage
from langchain_kimi.errors import KimiUsageError

PICTURE: WireMessage = {
    "role": "user",
    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}}],
}


def test_a_sound_body_is_not_changed() -> None:
    body: WireBody = {"model": "moonshotai/kimi-k2.5", "messages": [PICTURE], "models": ["other/model"]}
    before = copy.deepcopy(body)
    assert prepare(body) == before


@pytest.mark.parametrize(
    "body", [{"model": "moonshotai/kimi-k2-0905"}, {"models": ["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2"]}]
)
def test_an_image_for_text_models_is_refused(body: WireBody) -> None:
    with pytest.raises(KimiUsageError, match=r"messages\[0\]\.content\[0\] is image input"):
        prepare({**body, "messages": [PICTURE]})


def test_a_fallback_that_accepts_images_is_enough() -> None:
    body: WireBody = {
        "model": "moonshotai/kimi-k2-0905",
        "models": ["moonshotai/kimi-k2.5"],
        "messages": [PICTURE],
    }
    assert prepare(body) is body


CALLED: WireMessage = {
    "role": "assistant",
    "content": " ",
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
ANSWERED: WireMessage = {"role": "tool", "tool_call_id": "call_1", "content": "a"}
TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"enum": [1]}}}},
}
RAW: WireBody = {"model": "moonshotai/kimi-k2-0905", "messages": [CALLED, ANSWERED], "tools": [TOOL]}


def sent_with(repairs: set[str], model: str = "moonshotai/kimi-k2-0905") -> list[Any]:
    """The call's id, the result's, the content beside the call and the property's type, as they are sent."""
    before = copy.deepcopy(RAW)
    sent: Any = check_and_repair({**RAW, "model": model}, frozenset(repairs))
    assert before == RAW
    called, answered = sent["messages"]
    schema = sent["tools"][0]["function"]["parameters"]["properties"]["a"]
    return [called["tool_calls"][0]["id"], answered["tool_call_id"], called["content"], schema.get("type")]


def test_each_repair_can_be_switched_on_separately() -> None:
    assert sent_with(set(ALL)) == ["functions.f:0", "functions.f:0", None, "integer"]
    assert sent_with({"call_ids"}) == ["functions.f:0", "functions.f:0", " ", None]
    assert sent_with({"history"}) == ["call_1", "call_1", None, None]
    assert sent_with({"schemas"}) == ["call_1", "call_1", " ", "integer"]
    assert check_and_repair(RAW, frozenset()) is RAW


def test_models_without_positional_ids_keep_the_ids() -> None:
    assert sent_with(set(ALL), "moonshotai/kimi-k3") == ["call_1", "call_1", None, "integer"]


def test_bodies_for_models_of_other_makers_are_not_changed() -> None:
    assert sent_with(set(ALL), "openai/gpt-5") == ["call_1", "call_1", " ", None]
    alone: WireBody = {"model": "openai/gpt-5", "messages": [ANSWERED]}
    assert check_and_repair(alone) is alone


def test_a_body_with_only_fallbacks_is_repaired() -> None:
    sent: Any = check_and_repair({"models": ["moonshotai/kimi-k2"], "messages": [CALLED, ANSWERED]})
    assert sent["messages"][1]["tool_call_id"] == "functions.f:0"


@pytest.mark.parametrize(("messages", "named"), [([CALLED], "call_1"), ([ANSWERED], "call_1")])
def test_the_error_for_orphans_names_the_users_id(messages: list[WireMessage], named: str) -> None:
    body: WireBody = {"model": "moonshotai/kimi-k2", "messages": messages}
    with pytest.raises(KimiUsageError, match=named):
        check_and_repair(body)
    assert len(prepare(body)["messages"]) == 1
    assert len(check_and_repair(body, ALL | {"orphans"})["messages"]) != 1
    assert check_and_repair(body, frozenset()) is body
