"""A real llama.cpp server answers a model, with a tiny random language model; run by `make test-servers`."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from tests.chat.asking import WAYS, Way, ask

xllamacpp: Any = pytest.importorskip("xllamacpp")
pytest.importorskip("gguf")

# It needs a package that only this environment has.
from tests.servers.tiny_model import write  # noqa: E402 - after the check that it can be imported


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path: Path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write(path)
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.n_ctx, settings.n_parallel, settings.warmup = 2048, 1, False
    settings.hostnames, settings.port = ["127.0.0.1"], free_port()
    server = xllamacpp.Server(settings)
    yield f"{server.listening_address}/v1"
    del server


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reasoning", [None, {"enabled": False}, {"effort": "low"}])
async def test_a_server_without_a_key_answers_with_usage(base_url: str, way: Way, reasoning: Any) -> None:
    model = ChatKimi(
        base_url=base_url,
        max_tokens=8,
        seed=1,
        top_k=5,
        reasoning=reasoning,
        provider={"only": ["novita"]},
        models=["moonshotai/kimi-k2"],
        session_id="s",
        max_retries=0,
        retry_empty=0,
    )
    message = await ask(model, way)
    assert message.response_metadata["finish_reason"] in {"stop", "length"}
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] > 0
    assert 0 < message.usage_metadata["output_tokens"] <= 8
