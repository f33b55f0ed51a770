"""A real llama.cpp server with a tiny model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ports import free_port


@pytest.fixture(scope="session")
def llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the base URL of the server."""
    hint = "is not installed here; `make test-servers` installs it"
    xllamacpp: Any = pytest.importorskip("xllamacpp", reason=f"xllamacpp {hint}")
    pytest.importorskip("gguf", reason=f"gguf {hint}")
    # It imports gguf, which only the environments of these tests have.
    from tests.servers.tiny_model import write  # noqa: PLC0415 - after the check that it can be imported

    path: Path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write(path)
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx, settings.n_parallel, settings.warmup = 2048, 1, False
    settings.hostnames, settings.port = ["127.0.0.1"], free_port()
    server = xllamacpp.Server(settings)
    yield f"{server.listening_address}/v1"
    del server
