"""What parsers of JSON are told to refuse: what would be read as another value than the one that was written."""

import math
from typing import Any


def distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its pairs; the `object_pairs_hook` of a JSON parser.

    JSON leaves it open which of two values a key has, and parsers differ.

    Raises:
        ValueError: A key has two different values.
    """
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    for key, value in pairs:
        if made[key] != value:
            raise ValueError(f"the key {key!r} has two different values")
    return made


def finite(digits: str) -> float:
    """Make a number of its digits; the `parse_float` of a JSON parser.

    Raises:
        ValueError: It is too large for a float, which would be infinite.
    """
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits} is too large a number")
    return number
