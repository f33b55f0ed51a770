import hashlib
import re
import runpy
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from langchain_kimi import tokenizer
from langchain_kimi.kimi.tokenizer import SHA256, find_vocabulary
from langchain_kimi.tokenizer import URL, main
from tests.kimi.vocabulary import make


@dataclass
class Server:
    """A server of one file, whose ways a test can change."""

    content: bytes
    url: str = ""
    stop_after: int | None = None
    knows_ranges: bool = True
    refuses: int | None = None
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.asked.append(asked)
        self.paths.append(handler.path)
        begin = int(re.findall(r"\d+", asked)[0]) if asked and self.knows_ranges else 0
        if self.refuses:
            handler.send_error(self.refuses)
        elif handler.path == "/moved":
            handler.send_response(302)
            handler.send_header("Location", "/file")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        elif begin and begin >= len(self.content):
            handler.send_error(416)
        else:
            self._send(handler, begin)

    def _send(self, handler: BaseHTTPRequestHandler, begin: int) -> None:
        handler.send_response(206 if begin else 200)
        if begin:
            handler.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        handler.send_header("Content-Length", str(len(self.content) - begin))
        handler.end_headers()
        handler.wfile.write(self.content[begin : self.stop_after])


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server(b"")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        served.url = f"http://127.0.0.1:{http.server_port}/file"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield served
        http.shutdown()
        thread.join()


@dataclass
class Command:
    """Runs the command for a directory and the checksum of what is served."""

    server: Server
    directory: Path
    capture: pytest.CaptureFixture[str]
    sha256: str

    @property
    def file(self) -> Path:
        return self.directory / "tiktoken.model"

    @property
    def part(self) -> Path:
        return self.directory / "tiktoken.model.part"

    def __call__(self, *more: str) -> tuple[int, str, str]:
        given = ["--directory", str(self.directory), "--url", self.server.url, "--sha256", self.sha256, *more]
        code = main(["fetch", *given])
        output = self.capture.readouterr()
        return code, output.out, output.err


@pytest.fixture
def fetch(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    made = make(tmp_path / "served", ["Hello", " world"])
    server.content = made.path.read_bytes()
    return Command(server, tmp_path / "new" / "directory", capsys, made.sha256)


def test_it_is_downloaded_and_found(fetch: Command) -> None:
    code, out, err = fetch()
    assert code == 0
    assert out == f"Kimi's vocabulary goes to {fetch.directory}\nDone: {fetch.file}\n"
    assert "of 0.0 MB" in err
    assert list(fetch.directory.iterdir()) == [fetch.file]
    found = find_vocabulary(fetch.directory, sha256=fetch.sha256)
    assert found is not None
    assert found.encode("Hello world") == [256, 257]


def test_it_is_not_downloaded_twice(fetch: Command) -> None:
    fetch()
    assert fetch() == (0, f"Kimi's vocabulary is there already: {fetch.file}\n", "")
    assert len(fetch.server.asked) == 1


def test_a_redirection_is_followed(fetch: Command) -> None:
    assert fetch("--url", fetch.server.url.replace("/file", "/moved"))[0] == 0


def test_an_interrupted_download_goes_on(fetch: Command) -> None:
    fetch.server.stop_after = 1_000
    code, _, err = fetch()
    assert code == 1
    assert "is kept: run the command again" in err
    assert fetch.part.stat().st_size == 1_000
    assert not fetch.file.exists()
    fetch.server.stop_after = None
    assert fetch()[0] == 0
    assert fetch.server.asked == [None, "bytes=1000-"]
    assert fetch.file.read_bytes() == fetch.server.content


def test_a_server_without_ranges_starts_over(fetch: Command) -> None:
    fetch.directory.mkdir(parents=True)
    fetch.part.write_bytes(b"some other beginning")
    fetch.server.knows_ranges = False
    assert fetch()[0] == 0
    assert fetch.file.read_bytes() == fetch.server.content


def test_a_whole_part_needs_no_download(fetch: Command) -> None:
    fetch.directory.mkdir(parents=True)
    fetch.part.write_bytes(fetch.server.content)
    assert fetch()[0] == 0
    assert fetch.server.asked == []


@pytest.mark.parametrize("length", [10, 1_000_000], ids=["resumed", "longer than the file"])
def test_a_beginning_of_another_file_is_thrown_away(fetch: Command, length: int) -> None:
    fetch.directory.mkdir(parents=True)
    fetch.part.write_bytes(b"?" * length)
    assert fetch()[0] == 0
    assert fetch.server.asked == [f"bytes={length}-", None]
    assert fetch.file.read_bytes() == fetch.server.content
    assert list(fetch.directory.iterdir()) == [fetch.file]


def test_a_mirror_is_named_by_the_environment(fetch: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", fetch.server.url.removesuffix("/file") + "/")
    checksum = hashlib.sha256(fetch.server.content).hexdigest()
    assert main(["fetch", "--directory", str(fetch.directory), "--sha256", checksum]) == 0
    assert fetch.server.paths == [URL.removeprefix("https://huggingface.co")]
    assert fetch.file.read_bytes() == fetch.server.content


def test_what_has_another_checksum_is_not_kept(fetch: Command) -> None:
    fetch.sha256 = SHA256
    assert fetch()[0] == 1
    assert list(fetch.directory.iterdir()) == []


def test_progress_is_shown(fetch: Command) -> None:
    fetch.server.content = bytes(2_000_000)
    _, _, err = fetch()
    assert re.search(r"\r  [01]\.\d of 2\.0 MB", err)


def test_an_endless_file_is_given_up(fetch: Command) -> None:
    fetch.server.content = bytes(33_000_000)
    code, _, err = fetch()
    assert code == 1
    assert "sends far more than a vocabulary" in err


def test_a_refusal_is_reported(fetch: Command) -> None:
    fetch.server.refuses = 403
    code, _, err = fetch()
    assert (code, err) == (1, f"{fetch.server.url} answered 403 Forbidden.\n")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/file", "no url", "http://[", "ftp://127.0.0.1/file"])
def test_no_connection_is_reported(fetch: Command, url: str) -> None:
    code, _, err = fetch("--url", url)
    assert code == 1
    assert f"The download from {url} failed" in err
    assert "Without a network, copy the file from another machine." in err


def test_a_directory_that_cannot_be_made_is_reported(fetch: Command, tmp_path: Path) -> None:
    (tmp_path / "new").write_text("a file")
    code, _, err = fetch()
    assert code == 1
    assert "new" in err


def test_without_a_command_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "fetch" in capsys.readouterr().err


def test_it_is_a_program(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tokenizer", "fetch", "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(Path(tokenizer.__file__)), run_name="__main__")
    assert ended.value.code == 0
    assert "--directory" in capsys.readouterr().out


def test_the_default_is_a_fixed_revision() -> None:
    assert re.fullmatch(r"https://huggingface\.co/moonshotai/[\w.-]+/resolve/[0-9a-f]{40}/tiktoken\.model", URL)
