"""The messages between the workers of a run on a cluster and its shared state: JSON with its length before it.

A worker proves that it has the secret of the run (HMAC of a nonce, RFC 2104). The messages are not encrypted, as those
between the processes of Ray are not by default.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from langchain_kimi.errors import KimiConnectionError

Message = dict[str, Any]
_LENGTH = 4
_LARGEST_UNPROVEN = 1_000
_LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class Address:
    """Where the workers of a run find its shared state. It can be pickled.

    Attributes:
        host: The host.
        port: The port.
        secret: What a worker proves to have.
    """

    host: str
    port: int
    secret: str = field(repr=False)


class Frames:
    """A connection that carries messages.

    Args:
        reader: The incoming bytes.
        writer: The outgoing bytes.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: Message) -> None:
        """Send a message. Nothing happens if the connection is closed, which `receive` reports."""
        content = json.dumps(message).encode()
        if not self._writer.is_closing():
            self._writer.write(len(content).to_bytes(_LENGTH, "big") + content)

    async def receive(self, largest: int = _LARGEST) -> Message:
        """Wait for a message.

        Args:
            largest: The maximum number of bytes of the message.

        Raises:
            KimiConnectionError: The connection was closed, or what came is not a message.
        """
        try:
            size = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
            if size <= largest:
                message: Message = json.loads(await self._reader.readexactly(size))
                return message
        except (asyncio.IncompleteReadError, OSError, ValueError) as error:
            raise KimiConnectionError("The connection between a worker and its run was closed.") from error
        raise KimiConnectionError("A message between a worker and its run is too large.")

    def end(self) -> None:
        """Close the connection, and do not wait for that."""
        self._writer.close()

    async def close(self) -> None:
        """Close the connection."""
        self.end()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def prove(self, secret: str) -> None:
        """Answer the nonce of the peer with a proof of the secret."""
        nonce = (await self.receive(_LARGEST_UNPROVEN))["nonce"]
        self.send({"proof": _proof(secret, nonce)})

    async def is_proven(self, secret: str) -> bool:
        """Send a nonce, and return whether the answer of the peer proves that it has the secret."""
        nonce = secrets.token_hex()
        self.send({"nonce": nonce})
        proof = (await self.receive(_LARGEST_UNPROVEN)).get("proof")
        return hmac.compare_digest(str(proof), _proof(secret, nonce))


def _proof(secret: str, nonce: str) -> str:
    return hmac.new(secret.encode(), nonce.encode(), hashlib.sha256).hexdigest()
