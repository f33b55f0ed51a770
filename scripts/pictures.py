"""Draw the pictures of the documentation: the terminal during `make demo`, and the README's badges.

Needs `rich` and a system with pseudo-terminals. The pictures load nothing from other servers.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
ASSETS = ROOT / "docs" / "assets"
# The example, the columns of its terminal, and the command as a user types it.
TERMINALS = {"demo.svg": ("quickstart.py", 92, "make demo"), "hosts.svg": ("hosts.py", 180, "make demo")}

_PORT = re.compile(r"(127\.0\.0\.1):\d+")
_FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)
_GRAY, _BLUE = "#555", "#3f51b5"
_CHARACTER, _PADDING, _HEIGHT = 6.6, 8, 20


def output_of(script: str, columns: int) -> str:
    """Return the output of an example on a terminal, with the escape sequences of its colors.

    Raises:
        RuntimeError: The example failed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENROUTER_")}
    environment |= {"COLUMNS": str(columns), "TERM": "xterm-256color"}
    ours, theirs = os.openpty()
    command = [sys.executable, str(ROOT / "examples" / script)]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.STDOUT, env=environment) as process:
        os.close(theirs)
        output = b"".join(_parts(ours))
    os.close(ours)
    if process.returncode:
        raise RuntimeError(f"{script} ended with {process.returncode}: {output.decode()}")
    return output.decode().replace("\r\n", "\n")


def _parts(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(descriptor, 1 << 16)
        except OSError:
            # Linux reports the end of a terminal as an error.
            return
        if not part:
            return
        yield part


def terminal(text: str, columns: int, title: str) -> str:
    """Return a picture (SVG) of a terminal with this text."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=columns, file=nowhere, force_terminal=True, color_system="truecolor")
        # The port differs in every run.
        console.print(Text.from_ansi(_PORT.sub(r"\1:8080", text)))
        picture = console.export_svg(title=title, unique_id="terminal")
    lines = _FONT.sub("", picture).replace("Fira Code", "ui-monospace").splitlines()
    return "\n".join(line.rstrip() for line in lines if line.strip()) + "\n"


def badges() -> str:
    """Return a picture of the Python versions, the license and the types, from `pyproject.toml`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = [line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r"Python :: 3\.\d+$", line)]
    is_typed = (ROOT / "langchain_kimi" / "py.typed").exists() and "Typing :: Typed" in project["classifiers"]
    facts = [("python", " | ".join(versions)), ("license", project["license"]), ("typed", "yes" if is_typed else "no")]
    shapes, left = [], 0.0
    for label, value in facts:
        for text, color in ((label, _GRAY), (value, _BLUE)):
            width = len(text) * _CHARACTER + 2 * _PADDING
            shapes += [
                f'<rect x="{left:g}" width="{width:g}" height="{_HEIGHT}" fill="{color}"/>',
                f'<text x="{left + width / 2:g}" y="14">{text}</text>',
            ]
            left += width
        left += _PADDING
    title = "; ".join(f"{label}: {value}" for label, value in facts)
    style = 'fill="#fff" text-anchor="middle" font-family="ui-monospace,monospace" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{left:g}" height="{_HEIGHT}" role="img">'
    return "\n".join([head, f"<title>{title}</title>", f"<g {style}>", *shapes, "</g>", "</svg>", ""])


def main() -> None:
    """Draw all pictures."""
    ASSETS.mkdir(exist_ok=True)
    (ASSETS / "badges.svg").write_text(badges(), encoding="utf-8")
    for name, (script, columns, title) in TERMINALS.items():
        (ASSETS / name).write_text(terminal(output_of(script, columns), columns, title), encoding="utf-8")


if __name__ == "__main__":
    main()
