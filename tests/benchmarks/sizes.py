"""How much a run of the benchmark measures."""

from dataclasses import dataclass

from tests.benchmarks.structured_growth import QUICK as FEW_FIELDS
from tests.benchmarks.structured_growth import SIZES as MANY_FIELDS


@dataclass(frozen=True)
class Sizes:
    """The sizes of a run.

    Attributes:
        rounds: The number of runs of each contender.
        peer_rounds: The number of runs of other packages, whose calls take five to twenty times as long.
        deltas: The number of deltas of a stream.
        firsts: The number of streams whose first token is timed.
        longest: The number of deltas of the longest stream.
        units: The factor of the sizes of growing requests and replies; 1 means 5,000 tools and replies of 10 MB.
        steady: The number of calls after which memory and open files are compared.
        crowds: The numbers of streams at once.
        crowd_deltas: The number of deltas of each of these streams.
        crowded_peers: Whether many streams are measured for other contenders than ChatKimi.
        repairs: The number of pairs of runs with and without repairs.
        fields: The numbers of fields of growing objects.
        imports: The number of imports, each in a new process.
        models: The number of models that are built.
    """

    rounds: int
    peer_rounds: int
    deltas: int
    firsts: int
    longest: int
    units: float
    steady: int
    crowds: tuple[int, ...]
    crowd_deltas: int
    crowded_peers: bool
    repairs: int
    fields: tuple[int, ...]
    imports: int
    models: int


SIZES = {
    "full": Sizes(
        rounds=7, peer_rounds=3, deltas=2000, firsts=50, longest=100_000, units=1, steady=20_000,
        crowds=(10, 100, 1000, 3000), crowd_deltas=100, crowded_peers=True, repairs=21, fields=MANY_FIELDS, imports=7,
        models=60,
    ),
    "quick": Sizes(
        rounds=5, peer_rounds=1, deltas=500, firsts=20, longest=1_000, units=0.1, steady=2_000,
        crowds=(100,), crowd_deltas=50, crowded_peers=False, repairs=9, fields=(250, 2_000), imports=3,
        models=30,
    ),
    "tiny": Sizes(
        rounds=1, peer_rounds=1, deltas=20, firsts=1, longest=20, units=0.001, steady=40,
        crowds=(2,), crowd_deltas=3, crowded_peers=False, repairs=1, fields=FEW_FIELDS, imports=2,
        models=2,
    ),
}  # fmt: skip
"""For the report, at most twenty minutes; for daily use, at most three; to check that everything runs."""
