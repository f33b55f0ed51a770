"""Tests of the values of environment variables, and of the errors about them."""

import pytest

from langchain_kimi._openrouter.variables import (
    EnvironmentProblem,
    about,
    check_not_blank,
    header_of,
    short_text_of,
    source_of,
    stripped,
    value_of,
)

NAME = "KIMI_TEST_VARIABLE"


@pytest.mark.parametrize("text", ["key", " key\r\n", "\tkey\t", "\ufeffkey", "\u00a0key\u200b ", " \ufeff key"])
def test_white_space_around_a_value_is_removed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    assert stripped(text) == value_of(NAME) == header_of(NAME) == short_text_of(NAME, 3) == "key"
    check_not_blank(NAME)


@pytest.mark.parametrize("text", [None, "", " \n", "\ufeff"])
def test_nothing_but_white_space_is_no_value(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    if text is not None:
        monkeypatch.setenv(NAME, text)
        with pytest.raises(EnvironmentProblem, match=f"The environment variable {NAME} is set, but it is empty"):
            check_not_blank(NAME)
    assert value_of(NAME) is header_of(NAME) is short_text_of(NAME, 3) is None


@pytest.mark.parametrize("variable", [None, NAME])
def test_a_variable_that_is_not_set_is_not_blank(variable: str | None) -> None:
    check_not_blank(variable)


@pytest.mark.parametrize("text", ["Bürger", "a\nb", "日本", "\udcff"])
def test_a_header_must_be_printable_ascii(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(EnvironmentProblem, match=f"The environment variable {NAME} must be printable ASCII"):
        header_of(NAME)


def test_a_long_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "four")
    with pytest.raises(EnvironmentProblem, match="must have at most 3 characters, it has 4"):
        short_text_of(NAME, 3)


def test_an_error_about_a_setting_names_its_variable() -> None:
    error = ValueError("api_key must be printable.")
    assert str(about({"api_key": NAME}, error)) == f"The environment variable {NAME} must be printable."
    assert about({"api_key": ""}, error) is error
    assert about({"base_url": NAME}, error) is error


def test_the_source_of_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " value ")
    assert source_of("value", [None, "KIMI_OTHER", NAME]) == NAME
    assert source_of("other", [NAME]) is None
    assert source_of("", ["KIMI_OTHER"]) is None
