import pytest

from langchain_kimi._kimi.call_names import (
    AFTER_NAME_IN_TAG,
    has_arguments,
    split_name,
    with_beginning,
    without_wrapping,
)

ARGUMENTS = "<|tool_call_argument_begin|>"


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("get_weather", "get_weather", ""),
        (f"functions.get_weather:0{ARGUMENTS}{{}}", "functions.get_weather:0", f"{ARGUMENTS}{{}}"),
        (f"<|tool_call_begin|>get_weather:0{ARGUMENTS}", "get_weather:0", ARGUMENTS),
        ("get_weather (x)", "get_weather", " (x)"),
        ('<|open|>call tool="get_weather" index="1"<|sep|>', "get_weather", '" index="1"<|sep|>'),
        ("<|tool_call_end|>", "", "<|tool_call_end|>"),
    ],
)
def test_a_name_is_divided_from_its_arguments(text: str, name: str, rest: str) -> None:
    assert split_name(text) == (name, rest)


@pytest.mark.parametrize("rest", [f"{ARGUMENTS}{{}}", "{}", "(x)", '" index="1"<|sep|><|open|>json'])
def test_arguments_after_a_name(rest: str) -> None:
    assert has_arguments(rest)


@pytest.mark.parametrize("rest", ["", " ", ARGUMENTS, "<|sep|>", '"', '" index="1', '" index="1"<|sep|>'])
def test_the_rest_of_markup_is_not_arguments(rest: str) -> None:
    assert not has_arguments(rest)


def test_what_is_around_arguments_is_removed() -> None:
    assert [without_wrapping(rest) for rest in ("({})", ": {}", "[ARGS]{}", "{}")] == ["{}", " {}", "{}", "{}"]
    assert AFTER_NAME_IN_TAG.match('" index="1"<|sep|>{}')


def test_the_beginning_of_markup_is_completed() -> None:
    marker = "<|tool_call_begin|>"
    assert with_beginning("f", f"{ARGUMENTS}{{}}") == f"{marker}functions.f:0{ARGUMENTS}{{}}"
    assert with_beginning("", f"functions.f:0{ARGUMENTS}{{}}") == f"{marker}functions.f:0{ARGUMENTS}{{}}"
    assert with_beginning("f", "<|open|>json<|sep|>{}") == '<|open|>call tool="f"<|sep|><|open|>json<|sep|>{}'
    for text in (f"{ARGUMENTS}{{}}", "<|open|>json<|sep|>{}", "{}", f"{marker}functions.f:0{ARGUMENTS}{{}}"):
        assert with_beginning("", text) == text
