"""Conversations that hosts would refuse as they are: they are accepted, in all four ways."""

from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import LLMResult

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.testing import Emulator, Reply
from tests.chat.asking import WAYS, Way, ask
from tests.conftest import KEY
from tests.rows import each_row

MODELS = ("moonshotai/kimi-k2-thinking", "moonshotai/kimi-k2.6", "moonshotai/kimi-k3")
HI, ON = HumanMessage("hi"), HumanMessage("go on")
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
DETAILS = [{"type": "reasoning.text", "text": "Hm.", "format": "unknown", "index": 0}]


def model_of(openrouter: Emulator, slug: str = "moonshotai/kimi-k2.6", **settings: Any) -> ChatKimi:
    return ChatKimi(model=slug, api_key=KEY, base_url=openrouter.base_url, max_retries=0, **settings)


def streamed(openrouter: Emulator) -> ChatKimi:
    return model_of(openrouter, streaming=True)


def calls(*ids: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": one} for one in ids])


UNFINISHED: dict[str, AIMessage] = {
    "reasoning": AIMessage("", additional_kwargs={"reasoning_content": "Hm."}),
    "reasoning under the other key": AIMessage(
        " ", additional_kwargs={"reasoning_content": "Hm.", "reasoning_key": "reasoning_content"}
    ),
    "details": AIMessage("", additional_kwargs={"reasoning_details": DETAILS}),
    "thinking": AIMessage([{"type": "thinking", "thinking": "Hm.", "signature": "s"}]),
    "redacted thinking": AIMessage([{"type": "redacted_thinking", "data": "x"}]),
    "content blocks": AIMessage([{"type": "reasoning", "reasoning": "Hm."}]),
    "refusal": AIMessage("", additional_kwargs={"refusal": "No."}),
    "refusal block": AIMessage([{"type": "refusal", "refusal": "No."}]),
    "image": AIMessage("", additional_kwargs={"images": [IMAGE]}),
    "truncated call": AIMessage(
        "", invalid_tool_calls=[{"name": "f", "args": "{", "id": "f:0", "error": "", "type": "invalid_tool_call"}]
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("slug", MODELS)
@each_row("case", UNFINISHED)
async def test_a_turn_without_text_and_calls_is_accepted(openrouter: Emulator, case: str, slug: str, way: Way) -> None:
    openrouter.clear()
    openrouter.script(Reply(text="Here."))
    assert (await ask(model_of(openrouter, slug), way, [HI, UNFINISHED[case], ON])).text == "Here."
    contents = [message["content"] for message in openrouter.bodies[0]["messages"]]
    assert contents == (["hi", "No.", "go on"] if "refusal" in case else ["hi", "go on"])


A, B = ToolMessage("1", tool_call_id="a"), ToolMessage("2", tool_call_id="b")
DISPLACED: dict[str, list[Any]] = {
    "an image between two results": [HI, calls("a", "b"), A, HumanMessage([IMAGE]), B],
    "a reminder": [HI, calls("a", "b"), SystemMessage("Be brief."), A, B],
    "text of the assistant": [HI, calls("a", "b"), AIMessage("Wait."), B, A],
    "a second turn with calls": [HI, calls("a"), calls("b"), A, B],
    "reversed results": [HI, calls("a", "b"), B, A, ON],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", DISPLACED)
async def test_results_that_are_not_behind_their_calls_are_accepted(openrouter: Emulator, case: str, way: Way) -> None:
    openrouter.script(Reply(text="Here."))
    assert (await ask(model_of(openrouter), way, DISPLACED[case])).text == "Here."
    sent = openrouter.bodies[0]["messages"]
    assert len(sent) == len(DISPLACED[case])
    for position, message in enumerate(sent):
        results = sent[position + 1 : position + 1 + len(message.get("tool_calls", ()))]
        ids = [call["id"] for call in message.get("tool_calls", ())]
        assert [result.get("tool_call_id") for result in results] == ids
    assert sorted(message["content"] for message in sent if message["role"] == "tool") == ["1", "2"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_second_result_is_named(openrouter: Emulator, way: Way) -> None:
    with pytest.raises(KimiUsageError, match=r"messages\[4\] is a second result of the tool call 'a': messages\[2\]"):
        await ask(model_of(openrouter), way, [HI, calls("a"), A, ON, A])
    assert openrouter.requests == []


FOREIGN: list[Any] = [
    HumanMessage([{"text": "hi"}, {"cachePoint": {"type": "default"}}, {"type": "hologram", "data": "x"}]),
    AIMessage(
        [
            {"type": "reasoning_content", "reasoning_content": {"text": "Hm.", "signature": "s"}},
            {"type": "executable_code", "executable_code": "print(1)", "language": "python"},
            {"type": "code_execution_result", "code_execution_result": "1", "outcome": 1},
            {"type": "reference", "reference_ids": [1]},
        ]
    ),
    ON,
]


@pytest.mark.parametrize("way", WAYS)
async def test_blocks_of_other_providers_are_accepted(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="Here."))
    assert (await ask(model_of(openrouter), way, FOREIGN)).text == "Here."
    user, assistant, _ = openrouter.bodies[0]["messages"]
    assert (user["content"], assistant["content"], assistant["reasoning"]) == ("hi", "print(1)\n1", "Hm.")


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_without_tools_drops_the_bound_tool_options(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="Here."))
    model = model_of(openrouter).bind_tools([TOOL], tool_choice="f", parallel_tool_calls=False)
    await ask(model, way, "hi", tools=[])
    assert not openrouter.bodies[0].keys() & {"tools", "tool_choice", "parallel_tool_calls"}


@pytest.mark.parametrize("way", WAYS)
async def test_an_image_without_a_type_is_sent_or_named(openrouter: Emulator, way: Way) -> None:
    openrouter.script(Reply(text="Here."))
    await ask(model_of(openrouter), way, [HumanMessage([{"type": "image", "base64": "iVBORw0KGgoAAAAN"}])])
    [part] = openrouter.bodies[0]["messages"][0]["content"]
    assert part["image_url"]["url"] == "data:image/png;base64,iVBORw0KGgoAAAAN"
    with pytest.raises(KimiUsageError, match=r"messages\[0\].content\[0\]: base64 data .* needs its 'mime_type'"):
        await ask(model_of(openrouter), way, [HumanMessage([{"type": "image", "base64": "aW1n"}])])


@pytest.mark.covered
async def test_an_image_without_a_type_is_sent_or_named_by_generate_too(openrouter: Emulator) -> None:
    openrouter.script(Reply(text="Here."), times=None)
    model = model_of(openrouter)
    image: list[BaseMessage] = [HumanMessage([{"type": "image", "base64": "iVBORw0KGgoAAAAN"}])]
    model.generate([image, [HI]])
    await model.agenerate([image])
    sent = [body["messages"][0]["content"] for body in openrouter.bodies]
    assert [content if isinstance(content, str) else content[0]["type"] for content in sent] == [
        "image_url", "hi", "image_url"
    ]  # fmt: skip
    unknown: list[BaseMessage] = [HumanMessage([{"type": "image", "base64": "aW1n"}])]
    with pytest.raises(KimiUsageError, match="needs its 'mime_type'"):
        model.generate([unknown])
    with pytest.raises(KimiUsageError, match="needs its 'mime_type'"):
        await model.agenerate([unknown])


class Ends(BaseCallbackHandler):
    """Records the results of calls."""

    def __init__(self) -> None:
        self.results: list[LLMResult] = []

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        self.results.append(response)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("way", WAYS)
async def test_generation_info_is_set(openrouter: Emulator, way: Way, *, streaming: bool) -> None:
    openrouter.script(Reply(text="Here."))
    ends = Ends()
    model = streamed(openrouter) if streaming else model_of(openrouter)
    message = await ask(model, way, "hi", {"callbacks": [ends]})
    [result] = ends.results
    info = result.generations[0][0].generation_info
    assert info is not None
    assert (info["finish_reason"], info["model_name"]) == ("stop", message.response_metadata["model_name"])
    assert info.items() <= message.response_metadata.items()


@pytest.mark.parametrize("streaming", [False, True])
def test_the_output_of_generate_names_the_model(openrouter: Emulator, *, streaming: bool) -> None:
    openrouter.script(Reply(text="Here."))
    model = streamed(openrouter) if streaming else model_of(openrouter)
    output = model.generate([[HI]]).llm_output or {}
    assert output["model_name"].startswith("moonshotai/kimi-k2.6")


@pytest.mark.covered
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "prompt",
    [
        None, 5, {"role": "user", "content": "hi"}, [None], [{"role": "nobody", "content": "hi"}], [{"content": "hi"}],
        [{"role": "tool", "content": "hi"}], [{"role": "user", "content": 5}], [("user",)],
        [{"role": "assistant", "content": "", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{"}}]}]
    ],
    ids=repr,
)  # fmt: skip
async def test_an_input_that_is_not_messages_is_a_usage_error(prompt: Any, way: Way) -> None:
    with pytest.raises(KimiUsageError, match="The input cannot be read as messages"):
        await ask(ChatKimi(api_key=KEY), way, prompt)
