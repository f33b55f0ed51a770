from langchain_kimi._explanations import address_of, explanation_of


def test_the_explanation_has_the_address_if_there_is_a_public_site() -> None:
    address = "https://docs.example.com/errors.html#kimierror"
    assert address_of("KimiError", "https://docs.example.com/") == address
    assert address_of("KimiError", "") == ""
    command = "python -m langchain_kimi explain KimiError"
    assert explanation_of("KimiError", "https://docs.example.com/") == f"{command} {address}"
    assert explanation_of("KimiError", "") == command
