import copy
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage

from langchain_kimi._request.body import request_body
from langchain_kimi._request.reasoning import details_to_wire

CLAUDE = "anthropic-claude-v1"


def text(value: str | None, index: int | None = 0, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": value, "index": index, **more}


def summary(value: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.summary", "summary": value, "index": index, **more}


def encrypted(data: str, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning.encrypted", "data": data, "index": index, **more}


@pytest.mark.parametrize(
    "details",
    [
        [],
        [text("a")],
        [text("a", None), text("b", None)],
        [text("a", 0), text("b", 1)],
        [text("a", signature="s"), text("b", signature="t")],
        [encrypted("x"), encrypted("y")],
        [summary("a"), encrypted("x"), summary("b")],
        [summary("a", id="rs_1"), summary("b", id="rs_2")],
        ["odd", 5, text("a")],
        [text("a", format="some-new-format-v9")],
        [text("a", format=""), text("b", 1, format=None), text("c", 2, format=7)],
    ],
)
def test_details_as_received_are_not_changed(details: list[Any]) -> None:
    assert details_to_wire(details) is details


@pytest.mark.parametrize(
    ("details", "restored"),
    [
        ([text("H"), text("m"), text(".")], [text("Hm.")]),
        ([text("H"), text("m.", signature=None), text(None, signature="s")], [text("Hm.", signature="s")]),
        ([text("a"), text(None, signature="s"), text("b")], [text("a", signature="s"), text("b")]),
        ([summary("a"), summary("b"), encrypted("x")], [summary("ab"), encrypted("x")]),
        ([None, text("a"), "b"], [text("a"), "b"]),
        ([{"type": ["new"], "text": one, "index": 0} for one in "ab"], [{"type": ["new"], "text": "ab", "index": 0}]),
        ([text("a", format=CLAUDE * 3)], [text("a", format=CLAUDE)]),
        ([text("a", format="unknownunknown")], [text("a", format="unknown")]),
        ([text("a", format="new-format-v9" * 4)], [text("a", format="new-format-v9")]),
        ([text("a", format=None), text("b", format="unknown")], [text("ab", format="unknown")]),
    ],
)
def test_fragments_and_repeated_formats_are_restored(details: list[Any], restored: list[Any]) -> None:
    before = copy.deepcopy(details)
    assert details_to_wire(details) == restored
    assert details == before


def test_a_sum_of_chunks_of_another_chat_model_is_restored() -> None:
    """ChatOpenRouter 0.2.9 puts the details of each delta into its chunk, and LangChain adds the chunks."""
    first, *others = [
        AIMessageChunk(content="", additional_kwargs={"reasoning_details": [text(word, format=CLAUDE)]})
        for word in ("Let", " me", " see.")
    ]
    last = AIMessageChunk(content="Yes.", chunk_position="last")
    message = first.__add__([*others, last])
    [wire] = request_body([message], model="m", settings={}, arguments={}, streamed=False)["messages"]
    assert wire["reasoning_details"] == [text("Let me see.", format=CLAUDE)]


MESSAGES = [
    HumanMessage("hi"),
    AIMessage(
        "Yes.",
        additional_kwargs={"reasoning_details": [summary("a", id="rs_1"), encrypted("x"), text("b"), "odd"]},
    ),
    AIMessage("No.", additional_kwargs={"reasoning_details": [text("b", id="own")]}),
]


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        ("openai/gpt-5-mini", {}),
        ("~openai/gpt-latest", {}),
        ("moonshotai/kimi-k2.6", {"models": ["openai/gpt-5-mini"]}),
    ],
)
def test_ids_of_stored_responses_are_not_sent_to_openai(model: str, settings: Any) -> None:
    body = request_body(MESSAGES, model=model, settings=settings, arguments={}, streamed=False)
    assert body["messages"][1]["reasoning_details"] == [summary("a"), encrypted("x"), text("b"), "odd"]
    assert body["messages"][2]["reasoning_details"] == [text("b", id="own")]
    assert MESSAGES[1].additional_kwargs["reasoning_details"][0]["id"] == "rs_1"


def test_ids_of_encrypted_reasoning_are_sent_to_openai() -> None:
    details = [summary("a", id="rs_1"), encrypted("x", id="rs_1")]
    message = AIMessage("Yes.", additional_kwargs={"reasoning_details": [*details, summary("b", id="rs_2")]})
    body = request_body([message], model="openai/o4-mini", settings={}, arguments={}, streamed=False)
    assert body["messages"][0]["reasoning_details"] == [*details, summary("b")]


@pytest.mark.parametrize("model", ["moonshotai/kimi-k2.6", "anthropic/claude-4"])
def test_other_models_get_the_ids_unchanged(model: str) -> None:
    body = request_body(MESSAGES, model=model, settings={}, arguments={}, streamed=False)
    assert body["messages"][1]["reasoning_details"][0]["id"] == "rs_1"
