"""What counts as public, and which modules need tests."""

from types import ModuleType

from tests.house import faces
from tests.house.tree import modules_of

FUNCTION = "def f() -> int:\n    return 1"


def test_public_names() -> None:
    module = ModuleType("made_up")
    vars(module).update(ChatKimi=object, _private=1, __version__="1", submodule=ModuleType("made_up.submodule"))
    assert faces.public_names(module) == {"ChatKimi", "__version__"}


def test_a_module_that_is_public_by_accident() -> None:
    found = faces.unforeseen(
        modules_of({"p/__init__.py": "", "p/errors.py": "", "p/kimi/a.py": "", "p/_b.py": "", "p/helpers/c.py": ""})
    )
    assert found == ["helpers"]


def test_a_module_without_tests() -> None:
    modules = modules_of(
        {
            "p/__init__.py": "__all__ = []",
            "p/errors.py": "class A:\n    def f(self) -> int:\n        return 1",
            "p/_messages/to_wire.py": FUNCTION,
            "p/openrouter/wire.py": "class B:\n    x: int",
            "p/openrouter/sse.py": f"async {FUNCTION}",
        }
    )
    assert faces.untested(modules, ["tests/openrouter/test_sse.py"]) == [
        "p/_messages/to_wire.py has no tests/messages/test_to_wire.py",
        "p/errors.py has no tests/test_errors.py",
    ]
    assert faces.untested(modules_of({"p/__init__.py": FUNCTION}), []) == ["p/__init__.py has no tests/test_init.py"]
