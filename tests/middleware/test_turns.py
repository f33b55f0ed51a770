"""The turns of an agent."""

from langchain_core.messages import AIMessage, HumanMessage

from langchain_kimi import ChatKimi
from langchain_kimi.middleware.turns import is_nudge, nudge, since_input


def test_a_nudge_is_marked() -> None:
    assert is_nudge(nudge("Go on."))
    assert not is_nudge(HumanMessage("Go on."))
    assert not is_nudge(AIMessage("Hello.", response_metadata={"kimi": {"markup": 1}}))


def test_the_mark_is_not_sent(model: ChatKimi) -> None:
    assert model.request_body([nudge("Go on.")])["messages"] == [{"role": "user", "content": "Go on."}]


def test_the_turn_begins_after_the_last_message_of_the_user() -> None:
    reply, mark = AIMessage("Hm."), nudge("Go on.")
    assert since_input([HumanMessage("a"), AIMessage("b"), HumanMessage("c"), reply, mark]) == [reply, mark]
    assert since_input([HumanMessage("a")]) == []
    assert since_input([reply, mark]) == [reply, mark]
