import pytest

from tests.benchmarks import layers, server


@pytest.mark.parametrize("kind", layers.KINDS)
def test_both_ways_to_make_events_make_the_same(kind: str) -> None:
    pieces = list(server.events(kind, 3))
    native = list(layers.native_events(pieces))
    assert native == list(layers.bridged_events(pieces))
    assert sum(event["event"] == "content-block-delta" for event in native) >= 3
