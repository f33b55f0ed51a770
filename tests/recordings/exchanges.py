"""The recorded exchanges beside the checkout. They are listed together and read one at a time."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pytest

FOLDER = Path(__file__).parents[2] / ".." / "shared" / "recordings" / "exchanges"
ABSENT = "the recorded exchanges are not beside this checkout (../shared/recordings)"

needs_recordings = pytest.mark.skipif(not FOLDER.is_dir(), reason=ABSENT)


@dataclass(frozen=True)
class Reply:
    """A recorded response to serve."""

    status: int
    headers: dict[str, str]
    body: bytes
    framing: dict[str, str] = field(default_factory=dict)
    network_chunks: tuple[int, ...] = ()

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")


@dataclass(frozen=True)
class Exchange:
    """One recorded exchange; its files are read on demand."""

    name: str

    @cached_property
    def head(self) -> dict[str, Any]:
        return self._json("response.json")

    @cached_property
    def meta(self) -> dict[str, Any]:
        return self._json("meta.json")

    @property
    def is_stream(self) -> bool:
        return cast("str", self.head["headers"].get("content-type", "")).startswith("text/event-stream")

    @property
    def request(self) -> dict[str, Any]:
        """The request's body; `{}` if it was not recorded."""
        body = self._json("request.json")["body"] or {}
        return cast("dict[str, Any]", json.loads(body) if isinstance(body, str) else body)

    @property
    def reply(self) -> Reply:
        return Reply(
            status=self.head["status"],
            headers=self.head["headers"],
            body=(FOLDER / self.name / "response.body").read_bytes(),
            framing=self.head["framing"],
            network_chunks=tuple(self.head.get("network_chunks", ())),
        )

    def _json(self, file: str) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads((FOLDER / self.name / file).read_bytes()))


def folders() -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir()) if FOLDER.is_dir() else []


EXCHANGES = [Exchange(name) for name in folders()]
PLAIN = [exchange for exchange in EXCHANGES if not exchange.is_stream]
STREAMED = [exchange for exchange in EXCHANGES if exchange.is_stream]


def name_of(exchange: Exchange) -> str:
    return exchange.name
