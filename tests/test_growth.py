import pytest

from tests.growth import assert_linear


def test_linear_work_is_accepted() -> None:
    assert_linear(lambda size: [number * 2 for number in range(size)])


def test_quadratic_work_is_recognized() -> None:
    with pytest.raises(AssertionError, match="grows faster than the size"):
        assert_linear(lambda size: [0 for _ in range(size) for _ in range(size // 5)], 100)
