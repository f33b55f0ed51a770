"""The checks of public modules and of missing tests, on small invented packages."""

from types import ModuleType

from tests.structure import public
from tests.structure.tree import modules_of

FUNCTION = "def f() -> int:\n    return 1"


def test_public_names_leave_out_modules_and_private_names() -> None:
    module = ModuleType("invented")
    vars(module).update(ChatKimi=object, _private=1, __version__="1", submodule=ModuleType("invented.submodule"))
    assert public.public_names(module) == {"ChatKimi", "__version__"}


def test_a_public_module_that_is_not_listed_is_reported() -> None:
    modules = modules_of({"p/__init__.py": "", "p/errors.py": "", "p/_kimi/a.py": "", "p/_b.py": "", "p/c/d.py": ""})
    assert public.unlisted(modules) == ["c"]


def test_a_module_without_tests_is_reported() -> None:
    modules = modules_of(
        {
            "p/__init__.py": "__all__ = []",
            "p/errors.py": "class A:\n    def f(self) -> int:\n        return 1",
            "p/_request/messages.py": FUNCTION,
            "p/_openrouter/wire.py": "class B:\n    x: int",
            "p/_openrouter/reply/sse.py": f"async {FUNCTION}",
        }
    )
    assert public.untested(modules, ["tests/openrouter/reply/test_sse.py"]) == [
        "p/_request/messages.py has no tests/request/test_messages.py",
        "p/errors.py has no tests/test_errors.py",
    ]
    assert public.untested(modules_of({"p/__init__.py": FUNCTION}), []) == ["p/__init__.py has no tests/test_init.py"]


def test_a_public_class_that_is_not_exported_is_reported() -> None:
    modules = modules_of(
        {
            "p/__init__.py": "",
            "p/errors.py": "class A:\n    cause: 'Cause'\nclass B:\n    pass\nclass _C:\n    pass",
            "p/chat.py": "class Chat(Base):\n    def count(self) -> 'Count | None': ...\n    def _f(self) -> D: ...",
            "p/_base.py": "class Base:\n    async def cost(self) -> dict[str, Cost]: ...\n    def x(self): ...",
            "p/_results.py": "".join(f"class {name}:\n    pass\n" for name in ("Cause", "Count", "Cost", "D")),
        }
    )
    assert public.unexported(modules, {"errors"}, {"A", "Chat", "retry_on"}) == ["B", "Cause", "Cost", "Count"]
    assert public.unexported(modules, {"errors"}, {"A", "B", "Chat", "Cause", "Cost", "Count"}) == []
