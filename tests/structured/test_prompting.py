import asyncio
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.prompt_values import StringPromptValue
from langchain_core.runnables import Runnable, RunnableLambda

from langchain_kimi import ChatKimi, KimiEmptyReplyError
from langchain_kimi._schemas.output import output_schema
from langchain_kimi._structured.prompting import InstructedModel, as_messages, instruction_for
from langchain_kimi.testing import Emulator, Reply, faults
from tests.structured.cases import PERSON_SCHEMA, Person


def echo(messages: Any) -> AIMessage:
    return AIMessage(" | ".join(f"{message.type}: {message.text}" for message in messages))


ECHO: Runnable[Any, AIMessage] = RunnableLambda(echo)


@pytest.mark.parametrize(
    ("model_input", "answer"),
    [
        ("Who?", "system: Now. | human: Who?"),
        (StringPromptValue(text="Who?"), "system: Now. | human: Who?"),
        ([HumanMessage("Who?")], "system: Now. | human: Who?"),
        ([("system", "First."), ("user", "Who?")], "system: First. | system: Now. | human: Who?"),
        ([SystemMessage("First.")], "system: First. | system: Now."),
    ],
)
def test_the_instruction_follows_the_system_messages(model_input: Any, answer: str) -> None:
    model = InstructedModel(model=ECHO, instruction="Now.")

    async def parts() -> list[str]:
        return [part.text async for part in model.astream(model_input)]

    assert model.invoke(model_input).text == answer
    assert asyncio.run(model.ainvoke(model_input)).text == answer
    assert [part.text for part in model.stream(model_input)] == [answer]
    assert asyncio.run(parts()) == [answer]


def test_it_streams_like_the_model() -> None:
    model = InstructedModel(model=FakeListChatModel(responses=["abc"]), instruction="Now.")
    assert "".join(part.text for part in model.stream("Who?")) == "abc"
    assert len(list(model.stream("Who?"))) > 2


def test_a_string_prompt_becomes_a_human_message() -> None:
    assert as_messages("Who?") == [HumanMessage("Who?")]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (Person, "It is called Person: A person."),
        ({"title": "Bare", "type": "object"}, "It is called Bare.\n"),
        ({"type": "array", "items": PERSON_SCHEMA}, "one JSON value and nothing else"),
    ],
)
def test_the_instruction_describes_the_schema(schema: Any, words: str) -> None:
    assert words in instruction_for(output_schema(schema))


def structured(model: ChatKimi) -> Runnable[Any, Any]:
    return model.with_structured_output(Person, method="json_schema", repair=1)


@pytest.mark.parametrize("is_async", [False, True])
def test_an_answer_without_text_is_requested_again(openrouter: Emulator, model: ChatKimi, is_async: bool) -> None:  # noqa: FBT001 - a parametrized case
    openrouter.script(Reply(text="", reasoning="Hm."), Reply(text='{"name": "Ada", "age": 36}'))
    runnable = structured(model)
    person = asyncio.run(runnable.ainvoke("Who?")) if is_async else runnable.invoke("Who?")
    assert person.name == "Ada"
    assert len(openrouter.bodies) == 2


@pytest.mark.parametrize("is_async", [False, True])
def test_a_reply_with_nothing_at_all_stays_an_error(openrouter: Emulator, model: ChatKimi, is_async: bool) -> None:  # noqa: FBT001 - a parametrized case
    openrouter.script(faults.empty_answer())
    runnable = structured(model)
    with pytest.raises(KimiEmptyReplyError):
        asyncio.run(runnable.ainvoke("Who?")) if is_async else runnable.invoke("Who?")
    assert len(openrouter.bodies) == 1
