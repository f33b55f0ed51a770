"""The constructor as users see it: signature, descriptions, `repr` and public names."""

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pytest
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from pydantic import BaseModel, BeforeValidator

from langchain_kimi import ChatKimi
from langchain_kimi._constructor import construction_depth, plain, with_stored_signature
from langchain_kimi._settings import KimiSettings
from tests.conftest import KEY

OPENROUTER_ARGUMENTS = (
    "api_key base_url app_url app_title app_categories timeout max_retries model temperature max_tokens top_p seed n "
    "max_completion_tokens frequency_penalty presence_penalty stop_sequences streaming stream_usage model_kwargs "
    "reasoning openrouter_provider route plugins default_headers session_id trace"
)
"""The arguments of `langchain_openrouter.ChatOpenRouter` 0.2.9."""
METHODS = {"aclose", "acontinue_reply", "close", "continue_reply", "count_tokens", "estimate_cost"}
METHODS |= {"acatalog", "arefresh", "catalog", "refresh", "request_body", "request_headers"}
METHODS |= {"asubmit_batch", "submit_batch"}
NAMES = {"base_url", "model", "openrouter_provider", "stop_sequences", "timeout"}


def test_own_arguments_come_first() -> None:
    names = list(inspect.signature(ChatKimi).parameters)
    assert names[:4] == ["model", "api_key", "base_url", "host"]
    own = {field.alias or name for name, field in KimiSettings.model_fields.items()}
    assert set(names[: len(own)]) == own


def test_the_signature_has_the_arguments_of_chat_openrouter() -> None:
    assert set(OPENROUTER_ARGUMENTS.split()) <= set(inspect.signature(ChatKimi).parameters)


def test_annotations_show_no_validators() -> None:
    text = str(inspect.signature(ChatKimi))
    assert "Validator" not in text
    assert "Annotated" not in text
    assert "0x" not in text
    assert "temperature: Optional[float] = None" in text or "temperature: float | None = None" in text


class OwnField(ChatKimi):
    """A model with a field of its own."""

    tenant: str = "none"


class OwnConstructor(ChatKimi):
    """A model with a constructor of its own."""

    def __init__(self, tenant: str, **kwargs: Any) -> None:
        super().__init__(**kwargs, tags=[tenant])


def test_a_subclass_has_a_readable_signature_with_its_own_fields() -> None:
    own, base = (inspect.signature(kind).parameters for kind in (OwnField, ChatKimi))
    assert {**base, "tenant": own["tenant"]} == own
    assert own["tenant"].default == "none"
    assert list(own)[:4] == list(base)[:4]
    assert next(iter(inspect.signature(OwnConstructor).parameters)) == "tenant"


@pytest.mark.parametrize("name", sorted(KimiSettings.model_fields))
def test_every_own_field_is_described(name: str) -> None:
    description = ChatKimi.model_fields[name].description
    assert description
    assert description == inspect.cleandoc(description)


def test_public_names_are_those_for_users() -> None:
    own = {name for name in dir(ChatKimi) if not name.startswith("_")} - set(dir(BaseChatModel))
    assert own - set(ChatKimi.model_fields) == METHODS | NAMES


def test_the_docstring_lists_the_chief_arguments() -> None:
    text = inspect.getdoc(ChatKimi) or ""
    names = ["model", "api_key", "base_url", "host", "temperature", "max_tokens", "reasoning", "provider", "repairs"]
    assert [name for name in names if f"    {name}: " not in text] == []


def test_repr_shows_the_model_and_the_arguments_that_were_set() -> None:
    assert repr(ChatKimi(api_key=KEY)) == "ChatKimi(model='moonshotai/kimi-k2-0905')"
    shown = repr(ChatKimi(api_key=KEY, model="moonshotai/kimi-k3", stop_sequences=["a"], max_retries=0, host="vllm"))
    assert shown == "ChatKimi(model='moonshotai/kimi-k3', stop=['a'], host='vllm', max_retries=0)"


def test_other_names_can_be_read() -> None:
    model = ChatKimi(api_key=KEY, stop_sequences=["a"], openrouter_provider={"only": ["novita"]})
    assert model.stop_sequences == model.stop == ["a"]
    assert model.openrouter_provider == model.provider
    assert model.model == model.model_name
    assert model.base_url == model.openrouter_api_base
    assert model.timeout == model.request_timeout


CHECKED = Annotated[int | None, BeforeValidator(int)]


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (CHECKED, int | None),
        (list[CHECKED] | None, list[int | None] | None),
        (Sequence[Annotated[str, "x"] | dict[str, Any]], Sequence[str | dict[str, Any]]),
        (Literal["a", "b"], Literal["a", "b"]),
        (int, int),
    ],
)
def test_plain_annotations(annotation: Any, shown: Any) -> None:
    assert plain(annotation) == shown


def test_the_depth_ends_at_code_that_constructs_nothing() -> None:
    class Other(BaseModel):
        pass

    assert construction_depth(Other) == 1


def test_langchain_core_reads_a_stored_signature_on_each_call() -> None:
    for method in (ChatKimi._generate, ChatKimi._agenerate):
        stored = vars(method).pop("__signature__")
        try:
            assert stored == inspect.signature(method)
        finally:
            with_stored_signature(method)
        assert vars(method)["__signature__"] == stored


def test_a_subclass_may_have_another_signature() -> None:
    class Own(ChatKimi):
        def _generate(self, messages: list[BaseMessage], *arguments: Any, **kwargs: Any) -> ChatResult:
            return super()._generate(messages, *arguments, **kwargs)

    assert list(inspect.signature(Own._generate).parameters) == ["self", "messages", "arguments", "kwargs"]
