from langchain_kimi._explanations import address_of, error_text, explanation_of, one_line


def test_the_explanation_has_the_address_if_there_is_a_public_site() -> None:
    address = "https://docs.example.com/errors.html#kimierror"
    assert address_of("KimiError", "https://docs.example.com/") == address
    assert address_of("KimiError", "") == ""
    command = "python -m langchain_kimi explain KimiError"
    assert explanation_of("KimiError", "https://docs.example.com/") == f"{command} {address}"
    assert explanation_of("KimiError", "") == command


def test_a_text_becomes_one_printable_line() -> None:
    assert one_line(" a\n\tb ", 10) == "a b"
    assert one_line("a\x1b[31m\u202eb", 99) == "a\\x1b[31m\\u202eb"
    assert one_line("abcdef", 3) == "abc…"


def test_the_text_of_an_error_has_the_reason_then_the_context_then_the_advice() -> None:
    assert error_text("It failed.") == "It failed."
    context = {"HTTP": 429, "provider": None, "model": "kimi\n"}
    assert error_text("It failed.", "Wait.", context, attempts=3) == (
        "It failed. (HTTP 429, model kimi, after 3 attempts) Wait."
    )
