import pytest

from tests.growth import assert_linear


class Work:
    """A clock that counts steps of work instead of time, a million steps in a second."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def do(self, steps: float) -> None:
        self._seconds += steps / 1_000_000

    def __call__(self) -> float:
        return self._seconds


def test_linear_work_is_accepted() -> None:
    assert_linear(lambda size: [number * 2 for number in range(size)])


def test_linear_work_with_a_constant_part_is_accepted() -> None:
    work = Work()
    assert_linear(lambda size: work.do(5_000 + size), clock=work)


@pytest.mark.parametrize("first", [1, 100, 1000])
def test_quadratic_work_is_recognized(first: int) -> None:
    work = Work()
    with pytest.raises(AssertionError, match="grows faster than the size"):
        assert_linear(lambda size: work.do(size * size / 5), first, work)


def test_a_quadratic_part_is_recognized_where_it_is_small() -> None:
    work = Work()
    with pytest.raises(AssertionError, match="grows faster than the size"):
        assert_linear(lambda size: work.do(10 * size + size * size / 100), clock=work)
