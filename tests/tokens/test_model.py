import os
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage, trim_messages
from langchain_core.tools import tool

from langchain_kimi import ChatKimi
from langchain_kimi._tokens.counting import TokenCount, shared_counter
from langchain_kimi.errors import KimiUsageError
from tests.conftest import KEY
from tests.interpreters import Interpreter
from tests.tokens.vocabulary import make

ASKED = [SystemMessage("You are a helpful assistant"), HumanMessage("Say hi in Portuguese")]


ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a developer's own vocabulary, and forget the counters of other tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("KIMI_TOKENIZER", raising=False)
    shared_counter.cache_clear()


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return city


@pytest.fixture
def model() -> ChatKimi:
    return ChatKimi(api_key=KEY)


def test_the_tokens_of_a_text_are_estimated(model: ChatKimi) -> None:
    assert model.get_num_tokens("Say hi in Portuguese.") == 5
    assert model.get_token_ids("Say hi in Portuguese.") == [0, 1, 2, 3, 4]


def test_messages_are_counted_with_their_template(model: ChatKimi) -> None:
    assert model.count_tokens(ASKED).tokens == 20
    assert model.count_tokens(ASKED) == TokenCount(20, exact=False, unadjusted=20)


@pytest.mark.parametrize("slug", ["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.5", "moonshotai/kimi-k3"])
def test_tools_add_to_the_count(slug: str) -> None:
    model = ChatKimi(api_key=KEY, model=slug)
    messages: list[BaseMessage] = [HumanMessage("Weather?")]
    without = model.get_num_tokens_from_messages(messages)
    with_tool = model.get_num_tokens_from_messages(messages, tools=[get_weather])
    assert with_tool > without + 20
    assert model.get_num_tokens_from_messages(messages, tools=[]) == without


def test_an_image_adds_to_the_count() -> None:
    image = HumanMessage([{"type": "image", "url": "https://example.com/cat.png"}])
    seeing = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2.5")
    assert seeing.count_tokens([image]).media_tokens > 1_000


def test_an_own_encoder_is_honoured() -> None:
    model = ChatKimi(api_key=KEY, custom_get_token_ids=lambda text: [7] * len(text))
    assert model.get_token_ids("abc") == [7, 7, 7]
    assert model.get_num_tokens("abc") == 3
    assert model.get_num_tokens_from_messages([HumanMessage("abc")]) == 18 + 4 + 3 + 3


def test_the_file_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(tmp_path / "made" / "tiktoken.model", ["Hi"])
    monkeypatch.setenv("KIMI_TOKENIZER", str(made.path))
    model = ChatKimi(api_key=KEY)
    assert model.tokenizer_file == str(made.path)
    # It is looked at, and it is not Kimi's.
    with pytest.raises(KimiUsageError, match="no Kimi vocabulary"):
        model.get_num_tokens("Hi")


def test_where_the_file_is_does_not_travel(tmp_path: Path) -> None:
    model = ChatKimi(api_key=KEY, tokenizer_file=str(tmp_path))
    assert "tokenizer_file" not in model.model_dump()
    assert str(tmp_path) not in str(model._get_llm_string())


def test_trim_messages_counts_by_the_model(model: ChatKimi) -> None:
    call = {"name": "get_weather", "args": {"city": "Oslo"}, "id": "functions.get_weather:0"}
    messages = [
        SystemMessage("Be brief."),
        *(HumanMessage(f"Question {number}? " + "And so on. " * 20) for number in range(10)),
        AIMessage("", tool_calls=[call]),
        ToolMessage("Rain.", tool_call_id="functions.get_weather:0"),
        HumanMessage("Thanks."),
    ]
    trimmed = trim_messages(
        messages, max_tokens=200, token_counter=model, strategy="last", include_system=True, start_on="human"
    )
    assert trimmed[0] == messages[0]
    assert trimmed[-4:] == messages[-4:]
    assert len(trimmed) < len(messages)
    assert model.get_num_tokens_from_messages(trimmed) <= 200
    assert model.get_num_tokens_from_messages([trimmed[0], *messages[-len(trimmed) :]]) > 200


QUESTION = HumanMessage("Weather?")
CALL = {"name": "get_weather", "args": {"city": "Oslo"}, "id": "functions.get_weather:0"}


def turn(provider: str | None, tokens: int, model_name: str = "moonshotai/kimi-k2-0905") -> list[BaseMessage]:
    """A conversation whose first turn was billed."""
    called = AIMessage(
        "",
        tool_calls=[CALL],
        usage_metadata={"input_tokens": tokens, "output_tokens": 20, "total_tokens": tokens + 20},
        response_metadata={"model_name": model_name, "provider": provider},
    )
    return [QUESTION, called, ToolMessage("Rain.", tool_call_id="functions.get_weather:0")]


def test_the_preferences_name_the_host() -> None:
    def tokens(**settings: Any) -> int:
        return ChatKimi(api_key=KEY, **settings).count_tokens([QUESTION], [get_weather]).tokens

    longest = tokens()
    assert tokens(provider={"order": ["moonshotai"]}) < longest
    assert tokens(provider={"only": ["moonshotai/turbo"]}) == tokens(base_url="https://api.moonshot.ai/v1") < longest
    assert tokens(provider={"only": ["groq"]}) == longest


def test_a_count_says_for_which_host_it_is(model: ChatKimi) -> None:
    pinned = ChatKimi(api_key=KEY, provider={"only": ["novita/fp8"]})
    assert [kimi.count_tokens([QUESTION]).host for kimi in (model, pinned)] == [None, "novita"]
    assert model.count_tokens(turn("Groq", 999)).host == "groq"


def test_the_last_answer_has_the_host_and_the_tokens_of_its_prompt(model: ChatKimi) -> None:
    def counted(*history: Any) -> int:
        return model.count_tokens(turn(*history), [get_weather]).tokens

    first = model.count_tokens([QUESTION], [get_weather]).tokens
    more = counted("Groq", first) - first
    assert counted("Groq", first + 5) == first + 5 + more
    # What is far from every form of the prompt was billed for another one: the host alone is told.
    assert counted("Groq", first * 9) == counted(None, first * 9) == first + more > counted("Moonshot AI", first * 9)
    # Another model's answers tell nothing of the tokens.
    assert counted("Groq", first + 5, "openai/gpt-5") == first + more


def test_the_last_answer_of_another_host_is_ignored() -> None:
    pinned = ChatKimi(api_key=KEY, provider={"only": ["groq"]})
    first = pinned.count_tokens([QUESTION], [get_weather]).tokens
    counts = {pinned.count_tokens(turn("Novita", tokens), [get_weather]).tokens for tokens in (first, first + 5)}
    assert len(counts) == 1


@pytest.mark.uncovered
@pytest.mark.parametrize("share", [0.9, pytest.param(1, marks=pytest.mark.long), 1.1])
@pytest.mark.parametrize("limit", [300, 1_000, 3_000])
def test_a_conversation_that_was_billed_is_trimmed_as_any_other(model: ChatKimi, share: float, limit: int) -> None:
    messages: list[BaseMessage] = [SystemMessage("Be brief.")]
    for number in range(20):
        messages.append(HumanMessage(f"Question {number}? " + "And so on. " * (number % 7 * 9)))
        tokens = round(share * model.get_num_tokens_from_messages(messages))
        answer = turn("Groq", tokens)[1]
        messages.append(answer.model_copy(update={"content": "It is so. " * (number % 5 * 9), "tool_calls": []}))
    messages.append(HumanMessage("Thanks."))
    trimmed, trimmed_unbilled = (
        trim_messages(some, max_tokens=limit, token_counter=model, strategy="last", include_system=True)
        for some in (messages, [type(message)(message.content) for message in messages])
    )
    assert [message.content for message in trimmed] == [message.content for message in trimmed_unbilled]
    assert model.get_num_tokens_from_messages(trimmed) <= limit


OFFLINE = """
import socket, sys
from importlib.abc import MetaPathFinder


def refused(*_, **__):
    raise AssertionError("the network was touched")


class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        assert name.split(".")[0] != "transformers", "transformers was imported"


sys.meta_path.insert(0, Blocked())
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_kimi import ChatKimi

socket.socket = socket.create_connection = socket.getaddrinfo = refused
tool = {"name": "look", "description": "Look.", "parameters": {"type": "object", "properties": {}}}
call = {"name": "look", "args": {}, "id": "functions.look:0"}
asked = [SystemMessage("Be brief."), HumanMessage("What is there?")]
thought = {"reasoning_content": "I had better look. " * 20}


def count(slug, messages, **more):
    model = ChatKimi(model=slug, api_key="none")
    assert len(model.get_token_ids("What is there?")) == model.get_num_tokens("What is there?") > 3
    model.estimate_cost(messages, **more)
    return model.get_num_tokens_from_messages(messages, **more)


for slug in ("moonshotai/kimi-k2-0905", "moonshotai/kimi-k2-thinking", "moonshotai/kimi-k2.6"):
    called = [*asked, AIMessage("", tool_calls=[call])]
    answered = [*called, ToolMessage("A lake.", tool_call_id="functions.look:0")]
    assert count(slug, asked) < count(slug, asked, tools=[tool])
    assert count(slug, asked) < count(slug, called) < count(slug, answered)
    thoughtful = [*asked, AIMessage("", tool_calls=[call], additional_kwargs=thought), answered[-1]]
    assert (count(slug, thoughtful) > count(slug, answered) + 50) is (slug != "moonshotai/kimi-k2-0905"), slug
image = HumanMessage([{"type": "image", "base64": "AAAA", "mime_type": "image/png"}])
assert count("moonshotai/kimi-k2.6", [image]) > 1_000
print("counted")
"""


def test_nothing_is_downloaded_and_transformers_is_not_needed(tmp_path: Path, interpreter: Interpreter) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = interpreter.run(OFFLINE, environment=environment)
    assert (done.stdout.strip(), done.stderr) == ("counted", "")


CALLING = AIMessage("", tool_calls=[{"id": "functions.look:0", "name": "look", "args": {}}])
CALLING.additional_kwargs["reasoning_content"] = "I should look at it before I answer. " * 20
CONVERSATION: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage("What do you see?"),
    CALLING,
    ToolMessage("A lake.", tool_call_id="functions.look:0"),
    AIMessage("A lake.", response_metadata={"provider": "Moonshot AI", "model_name": "moonshotai/kimi-k2-thinking"}),
    HumanMessage("And behind it?"),
]


@pytest.mark.parametrize("slug", ["k2-0905", "k2-thinking", "k2.5", "k2.7-code", "k3"])
@pytest.mark.parametrize("start", [0, 1])
def test_adding_a_message_never_lowers_the_count(slug: str, start: int) -> None:
    model = ChatKimi(api_key=KEY, model=f"moonshotai/kimi-{slug}")
    parts: list[list[BaseMessage]] = [CONVERSATION[start:end] for end in range(start, len(CONVERSATION) + 1)]
    # A call without its result is an error, so that part is left out.
    counts = [model.get_num_tokens_from_messages(part) for part in parts if part[-1:] != [CALLING]]
    assert counts == sorted(counts)
    assert model.get_num_tokens_from_messages(CONVERSATION[:2]) >= model.get_num_tokens_from_messages(CONVERSATION[1:2])


def test_a_part_with_a_long_system_message_is_counted_as_the_whole() -> None:
    messages: list[BaseMessage] = [SystemMessage("Answer each question in one short sentence. " * 5), CONVERSATION[1]]
    model = ChatKimi(api_key=KEY)
    assert model.get_num_tokens_from_messages(messages) == model.count_tokens(messages).tokens
