"""The forms of a secret in the texts of servers."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from langchain_kimi._openrouter.secret_forms import SecretForms
from tests.growth import assert_linear

SECRET = "planted-Key/with+signs&More_77"
LONG = "planted-" + "Ab3-" * 40
ASCII = SECRET.encode()
FORMS = {
    "plain": SECRET,
    "in a URL": quote(SECRET, safe=""),
    "every character in a URL": "".join(f"%{byte:02X}" for byte in ASCII),
    "in lower case in a URL": "".join(f"%{byte:02x}" for byte in ASCII),
    "HTML": "".join(f"&#{byte};" for byte in ASCII),
    "HTML in hexadecimal": "".join(f"&#x{byte:X};" for byte in ASCII),
    "a part in HTML": SECRET.replace("-", "&#45;").replace("&M", "&amp;M"),
    "JSON": "".join(f"\\u{byte:04x}" for byte in ASCII),
    "JSON in JSON": json.dumps("".join(f"\\u{byte:04x}" for byte in ASCII))[1:-1],
    "Python": "".join(f"\\x{byte:02x}" for byte in ASCII),
    "two lines": f"{SECRET[:11]}\r\n  {SECRET[11:]}",
    "two lines in JSON": f"{SECRET[:11]}\\n{SECRET[11:]}",
    "two lines of quoted-printable": f"{SECRET[:11]}=\n{SECRET[11:]}",
    "a break in HTML": f"{SECRET[:11]}<wbr/>{SECRET[11:]}",
    "an invisible character": f"{SECRET[:11]}\u200b{SECRET[11:]}",
    "tags": "".join(f"<b>{character}</b>" for character in SECRET),
    "hexadecimal": ASCII.hex(),
    "HEXADECIMAL": ASCII.hex().upper(),
}
BASE64 = (b"", b"u:", b"user:", b"Bearer ")


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_replaced_in_every_form(form: str) -> None:
    bold = "<b>" if form.startswith("<b>") else ""
    cleaned = SecretForms(SECRET).replaced(f"x {form} y {form} z", "[-]")
    assert cleaned.replace("</b>", "") == f"x {bold}[-] y {bold}[-] z"


@pytest.mark.parametrize("before", BASE64)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_of_a_secret_inside_other_bytes_is_replaced(before: bytes, encode: Callable[[bytes], bytes]) -> None:
    sent = encode(before + ASCII + b" and more").decode()
    left = SecretForms(SECRET).replaced(sent, "")
    # The characters at both ends also encode the bytes around the secret.
    assert len(left) <= len(sent) - len(ASCII) * 8 // 6 + 2


@pytest.mark.parametrize("length", [8, 12, len(SECRET) - 1])
def test_the_beginning_of_a_secret_at_the_end_of_a_text_is_replaced(length: int) -> None:
    cut = SECRET[:length]
    forms = SecretForms(SECRET)
    assert forms.replaced(f"x {cut}", "[-]") == "x [-]"
    assert forms.replaced(f"It begins with '{cut}'. {cut}...", "[-]") == "It begins with '[-]'. [-]..."
    assert forms.replaced(f"x {cut} y", "[-]") == f"x {cut} y"


def test_a_beginning_that_repeats_itself_is_replaced() -> None:
    assert SecretForms("a" * 20).replaced("x " + "a" * 12, "[-]") == "x [-]"


def test_a_long_secret_is_replaced_as_a_whole() -> None:
    forms = SecretForms(LONG)
    assert forms.replaced(f"x {LONG} y", "[-]") == "x [-] y"
    escaped = LONG.replace("-", "%2D")
    assert forms.replaced(f"x {escaped} y", "[-]") == "x [-] y"


@pytest.mark.parametrize("text", ["", "planted", "planted flowers", "plan ted-key", SECRET.upper(), "%70%6c"])
def test_other_texts_are_unchanged(text: str) -> None:
    assert SecretForms(SECRET).replaced(text, "[-]") == text


@pytest.mark.uncovered
@pytest.mark.parametrize("unit", ["p", "p   ", "p<b>", "plan", "planted-", "planted-'", "&#112;", "p=\n"])
def test_a_text_is_searched_in_linear_time(unit: str) -> None:
    forms = SecretForms(SECRET)
    assert_linear(lambda size: forms.replaced(unit * (size // len(unit)), "[-]"))
