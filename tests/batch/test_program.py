from typing import Any

import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough

from langchain_kimi import ChatKimi, KimiUsageError
from langchain_kimi.batch.program import program_of
from tests.batch.driving import KEY

SCHEMA = {"title": "City", "type": "object", "properties": {"name": {"type": "string"}}}
MODEL = ChatKimi(api_key=KEY)


async def twice(value: Any) -> Any:
    return value * 2


async def test_a_chain_has_steps_before_and_after_its_model() -> None:
    before = RunnableLambda(lambda value: value * 2, afunc=twice)
    chain: Any = (before | MODEL.bind(stop=["x"]) | StrOutputParser()).with_config(tags=["own"])

    program = program_of(chain, {"metadata": {"a": 1}})

    assert program.model is MODEL
    assert program.arguments == {"stop": ["x"]}
    assert (program.begin("a"), await program.abegin("a")) == ("aa", "aa")
    assert (program.finish("a"), await program.afinish("a")) == ("a", "a")
    assert (program.config.get("tags"), program.config.get("metadata")) == (["own"], {"a": 1})
    assert program.messages_of("aa")[0].text == "aa"


def test_parts_of_chains_are_chains() -> None:
    inner = RunnableLambda(str) | MODEL
    chain: Any = RunnablePassthrough() | inner.with_retry() | StrOutputParser()

    program = program_of(chain)

    assert (len(program.before), len(program.after)) == (2, 1)


def test_an_instruction_is_part_of_the_messages() -> None:
    model = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2-thinking", profile={"structured_output": False})

    messages = program_of(model.with_structured_output(SCHEMA)).messages_of("Rome")

    assert [message.type for message in messages] == ["system", "human"]
    assert "JSON" in messages[0].text


@pytest.mark.parametrize(
    "runnable",
    [
        RunnableLambda(str),
        RunnableLambda(str).with_retry(),
        RunnableLambda(str) | StrOutputParser(),
        RunnableParallel(a=MODEL),
        MODEL.with_fallbacks([MODEL]),
        "text",
    ],
)
def test_other_runnables_are_refused(runnable: Any) -> None:
    with pytest.raises(KimiUsageError, match="A batch cannot run"):
        program_of(runnable)


def test_a_second_question_is_refused() -> None:
    with pytest.raises(KimiUsageError, match="repair=1"):
        program_of(MODEL.with_structured_output(SCHEMA, repair=1))


def test_rows_are_independent_of_earlier_providers() -> None:
    model = program_of(ChatKimi(api_key=KEY, sticky_provider=True, auto_session=True)).model

    assert (model.sticky_provider, model.auto_session) == (False, False)
