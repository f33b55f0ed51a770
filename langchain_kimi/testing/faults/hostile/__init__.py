"""Hostile replies, for tests of clients that face servers which they cannot trust.

`HOSTILE` has them by name:

    @pytest.mark.parametrize("fault", faults.HOSTILE.values(), ids=lambda fault: fault.name)
    def test_the_program_survives(openrouter, fault):
        openrouter.fail_next(fault)
        ...

Each describes its bytes (`what`) and the correct behavior of a client (`client`). `listening` plays those of
`CONNECTIONS`, which are not replies to a request: TLS that goes wrong, and connections that break or hang at other
moments.
"""

from collections.abc import Mapping
from types import MappingProxyType

from langchain_kimi.testing.faults.hostile import bodies, connections, encodings, events, framing, heads, tls
from langchain_kimi.testing.faults.hostile.connections import HostileConnection, listening
from langchain_kimi.testing.faults.hostile.entries import HostileFault

__all__ = ["CONNECTIONS", "HOSTILE", "HostileConnection", "HostileFault", "listening"]

HOSTILE: Mapping[str, HostileFault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            *heads.OTHER_PROTOCOLS,
            *heads.STATUS_LINES,
            *heads.HEADERS,
            *heads.STATUSES,
            *framing.LENGTHS,
            *framing.TRANSFER_ENCODINGS,
            *framing.CHUNKS,
            *framing.TRAILERS,
            *framing.INTERIM,
            *encodings.ENCODINGS,
            *bodies.NOT_A_REPLY,
            *bodies.BOMBS,
            *bodies.VALUES,
            *bodies.ENDLESS,
            *events.ODD,
            *events.WRONG,
            *events.HUGE,
            *events.ENDLESS,
        )
    }
)
"""Every hostile reply by its name."""
CONNECTIONS: Mapping[str, HostileConnection] = MappingProxyType(
    {one.name: one for one in (*connections.CONNECTIONS, *tls.CONNECTIONS)}
)
"""Every hostile connection by its name."""
