import sys
from typing import Any

import pytest
from langchain_core.load import dumpd
from pydantic import ValidationError

from langchain_kimi._kimi.repairs import ALL
from langchain_kimi.chat_models import ChatKimi


def model(**settings: Any) -> ChatKimi:
    return ChatKimi(api_key="planted", **settings)


@pytest.mark.parametrize(
    ("given", "kept", "chosen"),
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
def test_repairs_accepts_all_none_and_names(given: Any, kept: Any, chosen: frozenset[str]) -> None:
    made = model(repairs=given)
    assert made.repairs == kept
    repair_options = made._repair_options(lambda: frozenset({"a"}))
    assert repair_options.repairs == chosen
    assert repair_options.call_ids() == frozenset({"a"})


def test_an_unknown_repair_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="Unknown repair 'markdown'; did you mean 'markup'"):
        model(repairs=["markdown"])


def test_repairs_are_serialized() -> None:
    assert dumpd(model(repairs={"markup"}))["kwargs"]["repairs"] == ["markup"]


def test_validate_tool_calls_turns_validation_on() -> None:
    assert not model()._repair_options(frozenset).validates
    assert model(validate_tool_calls=True)._repair_options(frozenset).validates


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
