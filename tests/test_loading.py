"""A dumped model comes back, alone and in a chain, and `init_chat_model` knows us when it is told."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from langchain.chat_models import base, init_chat_model
from langchain_core.load import dumps, loads
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel
from typing_extensions import TypedDict

from langchain_kimi import ChatKimi, ProviderPreferences, Reasoning, load_arguments, register_init_chat_model
from langchain_kimi._calls import connection
from langchain_kimi._openrouter.parameters.merging import wire_parameters
from langchain_kimi.testing import Emulator, Reply
from tests.conftest import KEY

# What langchain-core loads with is marked as beta there.
pytestmark = pytest.mark.filterwarnings("ignore:The function `loads` is in beta")


@pytest.fixture
def key_at_the_other_end(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    return KEY


@pytest.fixture
def registered() -> Iterator[None]:
    register_init_chat_model()
    yield
    base._BUILTIN_PROVIDERS.pop("kimi")
    base._get_chat_model_creator.cache_clear()


def test_a_dumped_model_is_loaded(key_at_the_other_end: str) -> None:
    model = ChatKimi(
        model="moonshotai/kimi-k2.6:exacto",
        temperature=0.6,
        provider=ProviderPreferences(only=["novita"]),
        reasoning=Reasoning(effort="high"),
        plugins=[{"id": "web", "max_results": 3}],
        timeout={"idle": 60, "total": 300},
        stop=["END"],
        default_headers={"X-Secret": KEY},
    )
    text = dumps(model)
    assert KEY not in text
    loaded = loads(text, **load_arguments())
    assert isinstance(loaded, ChatKimi)
    assert loaded.openrouter_api_key == model.openrouter_api_key
    assert wire_parameters(loaded) == wire_parameters(model)
    assert loaded.model_name == model.model_name
    assert connection(loaded) == connection(model)


def test_a_dumped_chain_is_loaded_and_runs(key_at_the_other_end: str) -> None:
    with Emulator() as openrouter:
        model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
        chain = ChatPromptTemplate.from_template("Say {word}.") | model.bind(temperature=0.5) | StrOutputParser()
        text = dumps(chain)
        assert KEY not in text
        answer = loads(text, **load_arguments()).invoke({"word": "hello"})
        assert answer == chain.invoke({"word": "hello"})
        assert openrouter.bodies[0] == openrouter.bodies[1]


def test_init_chat_model_creates_the_model_after_registration(registered: None, key_at_the_other_end: str) -> None:
    model = init_chat_model("kimi:moonshotai/kimi-k2-0905:exacto", temperature=0.3)
    assert isinstance(model, ChatKimi)
    assert model.model_name == "moonshotai/kimi-k2-0905:exacto"
    assert model.temperature == pytest.approx(0.3)


def test_init_chat_model_does_not_know_us_untold(key_at_the_other_end: str) -> None:
    with pytest.raises(ValueError, match="kimi"):
        init_chat_model("kimi:moonshotai/kimi-k2-0905")


def test_another_version_of_langchain_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain.chat_models.base", ModuleType("langchain.chat_models.base"))
    with pytest.raises(RuntimeError, match="pass a ChatKimi"):
        register_init_chat_model()


class Place(TypedDict):
    """A place."""

    name: str
    lc: int


TRIP: dict[str, Any] = {
    "title": "trip",
    "description": "A trip.",
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}


@pytest.mark.uncovered
@pytest.mark.parametrize("schema", [TRIP, Place], ids=["JSON schema", "TypedDict"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"method": "function_calling"},
        {"method": "json_mode"},
        {"include_raw": True},
        {"repair": 1, "strict": True},
        {"repair": 1, "include_raw": True},
    ],
    ids=str,
)
def test_a_dumped_chain_with_a_schema_is_loaded_and_runs(key_at_the_other_end: str, settings: Any, schema: Any) -> None:
    with Emulator() as openrouter:
        model = ChatKimi(api_key=KEY, base_url=openrouter.base_url)
        chain = ChatPromptTemplate.from_template("Plan {what}.") | model.with_structured_output(schema, **settings)
        text = dumps(chain)
        assert KEY not in text
        loaded = loads(text, **load_arguments())
        assert dumps(loaded) == text
        if settings.get("method") == "json_mode":
            openrouter.script(Reply(text='{"city": "Oslo", "days": 2, "name": "Oslo", "lc": 1}'), times=2)
        value, loaded_value = chain.invoke({"what": "a trip"}), loaded.invoke({"what": "a trip"})
        assert openrouter.bodies[0] == openrouter.bodies[1]
        if "include_raw" in settings:
            value, loaded_value = value["parsed"], loaded_value["parsed"]
        assert isinstance(value, dict)
        assert loaded_value.keys() == value.keys()


def test_a_class_of_the_users_is_in_no_dump(key_at_the_other_end: str) -> None:
    class Trip(BaseModel):
        """A trip."""

        city: str

    for settings in ({}, {"repair": 1}, {"include_raw": True}):
        text = dumps(ChatKimi().with_structured_output(Trip, **settings))
        assert KEY not in text
        with pytest.raises(NotImplementedError, match=r"StructuredOutputParser|RepairingModel"):
            loads(text, **load_arguments())
