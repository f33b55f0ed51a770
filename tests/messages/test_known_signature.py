import inspect
from typing import Any

from langchain_kimi._messages.known_signature import known_signature


class Plain:
    def method(self, first: int, *, second: str = "", **more: Any) -> bool:
        return bool(first or second or more)


class Known:
    @known_signature
    def method(self, first: int, *, second: str = "", **more: Any) -> bool:
        return bool(first or second or more)


def test_it_is_the_same_signature_worked_out_before() -> None:
    assert inspect.signature(Known.method) == inspect.signature(Plain.method)
    assert inspect.signature(Known().method) == inspect.signature(Plain().method)
    assert inspect.signature(Known.method) is inspect.signature(Known.method)
    assert Known().method(1)
