"""An editor shows the text of an argument: basedpyright's language server is asked as an editor asks it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

# `pyright` in `test_typing.py` reads the same annotations in a few seconds.
pytestmark = pytest.mark.long

SOURCE = """from langchain_kimi import ChatKimi

model = ChatKimi(temperature=0.6, api_key="key", stop_sequences=["END"], repairs="all")
"""
SERVER = shutil.which("basedpyright-langserver", path=str(Path(sys.executable).parent))


class Editor:
    """A minimal client of the protocol: https://microsoft.github.io/language-server-protocol/."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._stdin, self._stdout, self._number = stdin, stdout, 0

    def send(self, method: str, params: Any, **more: Any) -> None:
        self._write({"jsonrpc": "2.0", "method": method, "params": params, **more})

    def ask(self, method: str, params: Any) -> Any:
        self._number += 1
        self.send(method, params, id=self._number)
        while True:
            message = self._read()
            if message.get("id") == self._number and "method" not in message:
                return message["result"]
            if "id" in message:
                # The server asks for settings and capabilities, which are empty.
                items = message["params"].get("items", []) if message.get("params") else []
                result = [self._settings(item) for item in items] if items else None
                self._write({"jsonrpc": "2.0", "id": message["id"], "result": result})

    @staticmethod
    def _settings(item: dict[str, Any]) -> Any:
        return {"pythonPath": sys.executable} if item.get("section") == "python" else None

    def _write(self, message: Any) -> None:
        body = json.dumps(message).encode()
        self._stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._stdin.flush()

    def _read(self) -> Any:
        length = 0
        while line := self._stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return json.loads(self._stdout.read(length))


@pytest.fixture(scope="module")
def hover(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    assert SERVER is not None
    folder = tmp_path_factory.mktemp("project")
    file = folder / "usage.py"
    file.write_text(SOURCE)
    document = {"uri": file.as_uri()}
    with subprocess.Popen([SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        editor = Editor(process.stdin, process.stdout)
        folders = [{"uri": folder.as_uri(), "name": "project"}]
        capabilities = {"workspace": {"configuration": True}, "textDocument": {"hover": {}}}
        editor.ask("initialize", {"processId": None, "capabilities": capabilities, "workspaceFolders": folders})
        editor.send("initialized", {})
        editor.send(
            "textDocument/didOpen", {"textDocument": {**document, "languageId": "python", "version": 1, "text": SOURCE}}
        )

        def ask(word: str) -> str:
            line = next(number for number, text in enumerate(SOURCE.splitlines(keepends=True)) if word in text)
            position = {"line": line, "character": SOURCE.splitlines(keepends=True)[line].index(word) + 1}
            result = editor.ask("textDocument/hover", {"textDocument": document, "position": position})
            return json.dumps(result)

        yield ask
        process.kill()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("temperature=", "from 0 to 2"),
        ("api_key=", "OPENROUTER_API_KEY"),
        ("stop_sequences=", "Another name for"),
        ("repairs=", "quirks"),
        ("ChatKimi\n", "Moonshot's Kimi as a LangChain chat model"),
    ],
)
def test_hovering_an_argument_shows_its_text(hover: Any, argument: str, text: str) -> None:
    assert text in hover(argument)
