import ast
import inspect
import re
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from langchain_kimi._openrouter.parameters import fields, options, plugins
from langchain_kimi._openrouter.parameters.merging import RequestParameters, checked
from langchain_kimi.errors import KimiUsageError

REFUSED = [
    ({"temperature": 2.1}, "temperature", "must be a number from 0 to 2, got 2.1"),
    ({"temperature": True}, "temperature", "must be a number from 0 to 2, got True"),
    ({"temperature": "1"}, "temperature", "must be a number from 0 to 2, got '1'"),
    ({"temperature": float("nan")}, "temperature", "must be a number from 0 to 2, got nan"),
    ({"temperature": float("inf")}, "temperature", "must be a number from 0 to 2, got inf"),
    ({"top_p": 0}, "top_p", "must be a number above 0 and up to 1, got 0"),
    ({"repetition_penalty": 0.0}, "repetition_penalty", "must be a number above 0 and up to 2, got 0.0"),
    ({"frequency_penalty": -2.1}, "frequency_penalty", "must be a number from -2 to 2, got -2.1"),
    ({"top_k": -1}, "top_k", "must be an integer of at least 0, got -1"),
    ({"max_tokens": 0}, "max_tokens", "must be an integer of at least 1, got 0"),
    ({"max_tokens": 10.0}, "max_tokens", "must be an integer of at least 1, got 10.0"),
    ({"max_tool_calls": 31}, "max_tool_calls", "must be an integer from 1 to 30, got 31"),
    ({"top_logprobs": 21}, "top_logprobs", "must be an integer from 0 to 20, got 21"),
    ({"seed": "7"}, "seed", "must be an integer, got '7'"),
    ({"n": 0}, "n", "must be an integer of at least 1, got 0"),
    ({"logprobs": 1}, "logprobs", "must be true or false, got 1"),
    ({"models": "kimi"}, "models", "must be a list of strings, got 'kimi'"),
    ({"modalities": ["imgae"]}, "modalities", "got 'imgae'; did you mean 'image'?"),
    ({"service_tier": "priorty"}, "service_tier", "got 'priorty'; did you mean 'priority'?"),
    ({"verbosity": 3}, "verbosity", "must be one of low, medium, high, xhigh, max, got 3"),
    ({"session_id": "s" * 257}, "session_id", "at most 256 characters, got a string of 257 characters"),
    ({"user": "u" * 129}, "user", "must be a string of at most 128 characters, got a string of 129 characters"),
    ({"user": 7}, "user", "must be a string of at most 128 characters, got 7"),
    ({"tools": {"type": "function"}}, "tools", "must be a list of dicts, got a dict of 1"),
    ({"tools": [{}, "x"]}, "tools", "must be a list of dicts, got 'x' in it"),
    ({"provider": {"ordre": []}}, "provider", "unknown key 'ordre' in provider; did you mean 'order'?"),
    ({"provider": "groq"}, "provider", "must be a ProviderPreferences or a dict, got 'groq'"),
    ({"reasoning": {"max_token": 1}}, "reasoning", "unknown key 'max_token' in reasoning; did you mean 'max_tokens'?"),
    ({"plugins": [{"id": "web", "engin": "exa"}]}, "plugins", "unknown key 'engin' in plugin web; did you mean"),
    ({"plugins": {"id": "web"}}, "plugins", "valid list"),
    ({"trace": "x"}, "trace", "valid dictionary"),
    ({"provider": {"max_price": {"prompt": -1}}}, "provider.max_price.prompt", "a number of at least 0"),
]


@pytest.mark.parametrize(("value", "place", "message"), REFUSED)
def test_an_invalid_value_is_refused_with_its_name_and_range(value: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(ValidationError) as at_construction:
        RequestParameters(**value)
    assert message in str(at_construction.value)
    assert place in str(at_construction.value)
    with pytest.raises(KimiUsageError, match=rf"^Nothing was sent\. {re.escape(place)}") as in_call:
        checked(value)
    assert message in str(in_call.value)
    assert ", got " in str(in_call.value) or "unknown key" in str(in_call.value)


@pytest.mark.parametrize("word", ["ultra", "xlow", "priority2"])
def test_new_words_pass(word: str) -> None:
    value = {"reasoning_effort": word, "verbosity": word, "service_tier": word}
    assert checked(value) == value


def test_errors_repeat_neither_keys_nor_long_values() -> None:
    key = "sk-or-v1-planted"
    for value in ({"temperature": key, "user": key * 99}, {"provider": key}, {"stop": {key: key}}, {"service_tier": 5}):
        with pytest.raises(ValidationError) as at_construction:
            RequestParameters(**value)
        with pytest.raises(KimiUsageError) as in_call:
            checked(value)
        assert "planted" not in f"{at_construction.value} {in_call.value}"
        assert in_call.value.__cause__ is None


@pytest.mark.parametrize("module", [fields, options, plugins])
def test_every_field_has_a_docstring(module: ModuleType) -> None:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(node, ast.ClassDef):
            continue
        assert ast.get_docstring(node) or node.name.startswith("_")
        for field, follower in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(field, ast.AnnAssign):
                described = isinstance(follower, ast.Expr) and isinstance(follower.value, ast.Constant)
                assert described, f"{node.name}: {ast.unparse(field)}"


def test_docstrings_state_the_ranges_that_are_checked() -> None:
    source = inspect.getsource(fields)
    count = 0
    for name in fields.ParameterFields.model_fields:
        with pytest.raises(KimiUsageError) as caught:
            checked({name: float("nan")})
        span = re.search(r"must be an? ((?:number|integer) .+), got nan", str(caught.value))
        if span:
            count += 1
            text = source.partition(f"\n    {name}: ")[2].partition('"""')[2].partition('"""')[0]
            assert span[1] in text
    assert count == 13
