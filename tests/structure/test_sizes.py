"""Which lines count, and which sizes are reported."""

import textwrap

import pytest

from tests.structure import sizes


def size(source: str) -> int:
    [lines] = sizes.function_sizes({"a.py": textwrap.dedent(source)}).values()
    return lines


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f(): return 1", 1),
        ("def f():\n    return 1\n\n\n# after\nx = 1", 2),
        ("def f(\n    a,\n    b,\n):\n    return a", 5),
        ('def f():\n    """Docstring\n\n    of three lines."""\n    return 1', 2),
        ("def f():\n    # why\n\n    return 1  # what", 2),
        ("@decorated\n@twice\ndef f():\n    return 1", 2),
        ('async def f():\n    return """a\n\nb"""', 4),
        ("def f():\n    return [\n        1,\n\n        2,\n    ]", 5),
    ],
)
def test_comments_and_docstrings_do_not_count(source: str, lines: int) -> None:
    assert size(source) == lines


def test_a_nested_function_counts_for_both() -> None:
    source = "def outer():\n    def inner():\n        return 1\n    return inner"
    assert sizes.function_sizes({"a.py": source}) == {"a.py::outer": 4, "a.py::inner": 2}


def test_the_longer_of_two_methods_counts() -> None:
    source = "class A:\n    def f(self): return 1\n\nclass B:\n    def f(self):\n        return 1"
    assert sizes.function_sizes({"a.py": source}) == {"a.py::f": 2}


def test_every_line_of_a_file_counts() -> None:
    assert sizes.file_sizes({"a.py": '"""Docstring."""\n\n# comment\nx = 1\n'}) == {"a.py": 4}


def test_sizes_above_the_limit_are_reported() -> None:
    measured = {"short": 3, "long": 5, "allowed": 9, "grown": 12, "shrunk": 4, "unexplained": 5}
    exceptions = {"allowed": (9, "data"), "grown": (10, "data"), "shrunk": (9, "data"), "gone": (9, "data")}
    assert sizes.too_long(measured, 4, {**exceptions, "unexplained": (5, "")}) == [
        "long has 5 lines",
        "grown has 12 lines",
        "shrunk is an exception but does not need one",
        "gone is an exception but does not need one",
        "unexplained is an exception without a reason",
    ]
