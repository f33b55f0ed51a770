"""The pictures load nothing from other servers, and show the present facts."""

import re
import sys

import pytest

from scripts import pictures

# Addresses that are names or plain text, and load nothing.
HARMLESS = {"http://www.w3.org/2000/svg", "https://www.textualize.io", "http://127.0.0.1:8080/api/v1"}


def test_the_badges_are_up_to_date() -> None:
    assert (pictures.ASSETS / "badges.svg").read_text(encoding="utf-8") == pictures.badges()


def test_pictures_load_nothing() -> None:
    drawn = sorted(pictures.ASSETS.glob("*.svg"))
    assert {"badges.svg", *pictures.TERMINALS} <= {path.name for path in drawn}
    for path in drawn:
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[^\"<) &]*[^\"<) &.]", text)) <= HARMLESS
        assert "@font-face" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_shows_colors_and_hides_ports() -> None:
    picture = pictures.terminal("\x1b[32mok\x1b[0m  http://127.0.0.1:54321/api", 60, "make demo")
    assert "127.0.0.1:8080" in picture.replace("&#160;", " ")
    assert "54321" not in picture
    assert "make&#160;demo" in picture or "make demo" in picture


def test_an_example_that_fails_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"no-such-example\.py ended with 2"):
        pictures.output_of("no-such-example.py", 80)
