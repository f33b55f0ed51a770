"""The messages between the workers of a run on a cluster and its shared state: JSON with its length before it.

The worker and the run prove to each other that they have the secret of the run (HMAC of a nonce, RFC 2104), because
later messages may contain pickled exceptions. The messages are not encrypted, as those between the processes of Ray are
not by default.
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
        secret: The secret of the run, which a worker and the run prove to each other.
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
            message = json.loads(await self._reader.readexactly(size)) if size <= largest else None
        except (asyncio.IncompleteReadError, OSError, ValueError) as error:
            raise KimiConnectionError("The connection between a worker and its run was closed.") from error
        if not isinstance(message, dict):
            raise KimiConnectionError("A message between a worker and its run is too large, or is not an object.")
        return message

    def end(self) -> None:
        """Close the connection, and do not wait for that."""
        self._writer.close()

    async def close(self) -> None:
        """Close the connection."""
        self.end()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def prove(self, secret: str) -> None:
        """Answer the nonce of the run with a proof of the secret, and require one from the run.

        Raises:
            KimiConnectionError: The peer does not have the secret, or does not accept the proof.
        """
        nonce, own_nonce = (await self.receive(_LARGEST_UNPROVEN)).get("nonce"), secrets.token_hex()
        self.send({"proof": _proof(secret, "worker", nonce), "nonce": own_nonce})
        answer = await self.receive(_LARGEST_UNPROVEN)
        if not _is_equal(answer.get("proof"), _proof(secret, "run", own_nonce)):
            raise KimiConnectionError("The program at the address of the run does not have its secret.")

    async def is_proven(self, secret: str) -> bool:
        """Return whether the answer of the worker proves that it has the secret, and prove the same to the worker."""
        nonce = secrets.token_hex()
        self.send({"nonce": nonce})
        answer = await self.receive(_LARGEST_UNPROVEN)
        if not _is_equal(answer.get("proof"), _proof(secret, "worker", nonce)):
            return False
        self.send({"proof": _proof(secret, "run", answer.get("nonce"))})
        return True


def _proof(secret: str, role: str, nonce: Any) -> str:
    """Return a proof. It contains the role, so that a peer cannot send back the proof that it received."""
    return hmac.new(secret.encode(), f"{role}:{nonce}".encode(), hashlib.sha256).hexdigest()


def _is_equal(proof: Any, expected: str) -> bool:
    return hmac.compare_digest(str(proof).encode(), expected.encode())
