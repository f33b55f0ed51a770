"""Read a stored response with the same results and errors as one that arrives over a connection."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from langchain_kimi._openrouter.http.calls import Attempts, Call, Part
from langchain_kimi.errors import KimiError


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response of a chat completion that is part of something else, such as a row of a batch.

    Attributes:
        status_code: The HTTP status.
        body: The body.
        headers: The headers.
    """

    status_code: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def replay(call: Call[Part], response: StoredResponse) -> Iterator[Part]:
    """Yield the parts that the reader of a call returns for a response. It is not retried.

    Raises:
        KimiError: The response is an error or not a complete answer, as if it had been the response to the call.
    """
    attempts = Attempts(call)
    try:
        reader = attempts.start_reading(response)
        yield from reader.feed(response.body, 0.0)
        yield from reader.close()
    except KimiError as error:
        attempts.wait_after(error)
        raise
