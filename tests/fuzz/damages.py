"""Damage to bytes on the network."""

from hypothesis import strategies as st

POSITIONS = st.floats(0, 1, exclude_max=True)
"""Positions in a stream, as a share of its length."""
Damage = tuple[str, float, float, bytes]
DAMAGES = st.tuples(
    st.sampled_from(["flip", "delete", "repeat", "insert", "end"]),
    POSITIONS,
    POSITIONS,
    st.binary(min_size=1, max_size=4),
)


def damaged(stream: bytes, damage: Damage) -> bytes:
    kind, position, length, more = damage
    start = int(position * len(stream))
    end = start + int(length * min(len(stream) - start, 200))
    match kind:
        case "flip":
            return stream[:start] + bytes([stream[start] ^ more[0]]) + stream[start + 1 :] if stream else stream
        case "delete":
            return stream[:start] + stream[end:]
        case "repeat":
            return stream[:end] + stream[start:]
        case "insert":
            return stream[:start] + more + stream[start:]
        case _:
            return stream[:start]
