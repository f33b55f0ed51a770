import sys
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import ToolMessage
from pydantic import ValidationError

from langchain_kimi._calls import repair_options
from langchain_kimi._kimi.repairs import ALL
from langchain_kimi.chat_models import ChatKimi


def model(**settings: Any) -> ChatKimi:
    return ChatKimi(api_key="planted", **settings)


@pytest.mark.parametrize(
    ("value", "stored", "chosen"),
    [
        ("all", "all", ALL),
        (None, "all", ALL),
        ("none", "none", frozenset()),
        (False, False, frozenset()),
        ({"markup", "call_ids"}, ["call_ids", "markup"], {"markup", "call_ids"}),
        (("all", "orphans"), ["all", "orphans"], ALL | {"orphans"}),
        (["schemas"], ["schemas"], {"schemas"}),
    ],
)
def test_repairs_accepts_all_none_and_names(value: Any, stored: Any, chosen: frozenset[str]) -> None:
    made = model(repairs=value)
    assert made.repairs == stored
    options = repair_options(made, [ToolMessage("", tool_call_id="a")])
    assert options.repairs == chosen
    assert options.call_ids() == frozenset({"a"})


def test_an_unknown_repair_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="Unknown repair 'markdown'; did you mean 'markup'"):
        model(repairs=["markdown"])


def test_repairs_are_serialized() -> None:
    assert dumpd(model(repairs={"markup"}))["kwargs"]["repairs"] == ["markup"]


def test_validate_tool_calls_turns_validation_on() -> None:
    assert not repair_options(model(), []).validates
    assert repair_options(model(validate_tool_calls=True), []).validates


def test_validation_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    assert not model().validate_tool_calls
    with pytest.raises(ImportError, match=r"langchain-kimi-openrouter\[validation\]"):
        model(validate_tool_calls=True)


def test_retry_empty_sets_the_retries_of_empty_answers() -> None:
    assert model().retry_empty == 0
    assert model()._retries().max_empty == 0
    assert model(retry_empty=2)._retries().max_empty == 2
    assert model(retry_empty=2)._retries(None, 1).max_empty == 1
    assert model(retry_empty=2)._retries(None, 1).max_retries == 2
    with pytest.raises(ValidationError):
        model(retry_empty=-1)
