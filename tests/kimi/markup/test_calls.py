import pytest

from langchain_kimi._kimi.markup.calls import NAMELESS, WITHOUT_ARGUMENTS, LeakedCall, leaked_call
from langchain_kimi._kimi.tools import OfferedTools
from tests.kimi.corpus.calls import PARIS
from tests.kimi.corpus.cases import TOOLS


def made(call_id: str, arguments: str, error: str | None = None) -> LeakedCall:
    return leaked_call(OfferedTools({"tools": TOOLS}), call_id, arguments, error)


def test_blanks_around_arguments_are_removed() -> None:
    expected = LeakedCall("functions.get_weather:0", "get_weather", PARIS, None, is_certain=True)
    assert made("functions.get_weather:0", f" {PARIS}\n") == expected


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        ('{"name": "get_weather", "city": "Paris"}', '{"city": "Paris"}'),
        ('{"name": "functions.get_weather", "arguments": {"city": "Paris"}}', '{"city": "Paris"}'),
        ('{"name": "get_weather", "parameters": "{\\"city\\": \\"Paris\\"}"}', '{"city": "Paris"}'),
        ('{"name": "get_weather", "arguments": "Paris"}', '{"arguments": "Paris"}'),
        ('{"name": "get_weather", "city": {"a": 1}}', '{"city": {"a": 1}}'),
        ('{"name": "get_weather", "arguments": {}, "city": "Paris"}', '{"arguments": {}, "city": "Paris"}'),
        ('{"name": "get_weather"}', "{}"),
    ],
)
def test_names_inside_arguments_are_used(arguments: str, taken: str) -> None:
    call = made("call_1", arguments)
    assert (call.name, call.arguments) == ("get_weather", taken)


@pytest.mark.parametrize(
    ("call_id", "arguments", "error", "due"),
    [
        ("functions.get_weather:0", "{...}", None, (None, False)),
        ("functions.get_weather:0", "{{arguments}}", None, (None, False)),
        ("functions.get_weather:0", "", None, (WITHOUT_ARGUMENTS, True)),
        ("functions.get_time:0", "", None, (None, True)),
        ("call_1", PARIS, None, (NAMELESS, True)),
        ("call_1", "...", None, (NAMELESS, False)),
        ("call_1", "", "It broke off.", ("It broke off.", True)),
        ("functions.launch:0", "{}", None, (None, False)),
    ],
)
def test_certain_and_uncertain_calls(
    call_id: str, arguments: str, error: str | None, due: tuple[str | None, bool]
) -> None:
    call = made(call_id, arguments, error)
    assert (call.error, call.is_certain) == due
