"""A server of TLS 1.2 begins a new handshake before or amid a reply. Only the tool `openssl` can do that on demand."""

import fcntl
import shutil
import ssl
import subprocess
import termios
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from langchain_kimi.testing import Emulator, Reply
from langchain_kimi.testing.faults.hostile.connections import WHOLE
from tests.conftest import KEY
from tests.faults.relay import certificate
from tests.faults.test_hostile import OTHER_KEY
from tests.faults.ways import WAYS, QuickKimi, ask, model_of


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("renegotiation"))


@contextmanager
def serving(file: Path, *options: str) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run a server of TLS 1.2 that sends what is written to it, and yield its port and its process."""
    openssl = shutil.which("openssl")
    assert openssl
    command = [openssl, "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-naccept", "1", *options]
    keys = ["-cert", str(file), "-key", str(file.with_name("key.pem"))]
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, *keys], bufsize=0, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT) as process:
        try:
            assert process.stdout
            read_until(process.stdout, b"ACCEPT 127.0.0.1:")
            yield int(read_until(process.stdout, b"\n")), process
        finally:
            process.kill()


def read_until(output: IO[bytes], end: bytes) -> bytes:
    """Read the output of a process up to some bytes."""
    read = b""
    while not read.endswith(end):
        byte = output.read(1)
        assert byte, read
        read += byte
    return read


def write(process: "subprocess.Popen[bytes]", sent: bytes) -> None:
    """Write bytes that the process reads in one piece, and return when it has read them."""
    assert process.stdin
    process.stdin.write(sent)
    waiting = b"    "
    while any(waiting):
        waiting = fcntl.ioctl(process.stdin, termios.FIONREAD, b"    ")
        time.sleep(0.001)


def play(process: "subprocess.Popen[bytes]", times: int, before: int) -> None:
    """Answer a request: some bytes, new handshakes, and the rest."""
    assert process.stdout
    read_until(process.stdout, b"POST /v1/chat/completions")
    if before:
        write(process, WHOLE[:before])
    for _ in range(times):
        # A piece that begins with this letter is the command for a new handshake.
        write(process, b"r\n")
        read_until(process.stdout, b"SSL_do_handshake -> 1")
    write(process, WHOLE[before:])


LONG = [
    pytest.param(times, before, [*WAYS], marks=pytest.mark.long)
    for times, before in [(1, 0), (1, len(WHOLE) - 20), (3, len(WHOLE) - 20)]
]


@pytest.mark.parametrize(
    ("times", "before", "ways"), [(1, 0, ("invoke", "astream")), (2, len(WHOLE) - 20, ("stream", "ainvoke")), *LONG]
)
def test_a_renegotiation_affects_neither_its_own_call_nor_the_next(
    openrouter: Emulator, certified: tuple[Path, ssl.SSLContext], times: int, before: int, ways: tuple[str, ...]
) -> None:
    file, _ = certified
    for way in ways:
        with serving(file) as (port, process), ThreadPoolExecutor() as threads:
            playing = threads.submit(play, process, times, before)
            base_url = f"https://127.0.0.1:{port}/v1"
            with QuickKimi(api_key=KEY, base_url=base_url, verify=str(file), max_retries=0, timeout=60) as model:
                outcome = ask(model, way)
            playing.result()
        assert outcome.message
        assert outcome.message.text == "one two"
        openrouter.script(Reply(text="right"))
        after = ask(model_of(openrouter, api_key=OTHER_KEY), way)
        assert after.message
        assert after.message.text == "right"
        assert openrouter.requests[-1].sent_key(OTHER_KEY)
