"""That the floors can be trespassed on, and that it is seen: made-up houses, most with one fault."""

from collections.abc import Mapping

import pytest

from tests.house import floors
from tests.house.tree import Module, modules_of

HOUSE = {
    "langchain_kimi/__init__.py": "from langchain_kimi.chat_models import ChatKimi",
    "langchain_kimi/errors.py": "from langchain_core.exceptions import ModelError",
    "langchain_kimi/chat_models.py": "import httpx\nfrom langchain_kimi._messages.to_wire import to_wire",
    "langchain_kimi/callbacks.py": "",
    "langchain_kimi/_messages/to_wire.py": "from langchain_kimi.kimi.profiles import profile",
    "langchain_kimi/kimi/profiles.py": "from langchain_kimi.openrouter.wire import WireModel",
    "langchain_kimi/openrouter/__init__.py": "",
    "langchain_kimi/openrouter/sse.py": "from langchain_kimi.openrouter import wire",
    "langchain_kimi/openrouter/transport.py": "import asyncio\nimport httpx\nfrom langchain_kimi.openrouter import sse",
    "langchain_kimi/openrouter/wire.py": "from typing import TypedDict",
    "langchain_kimi/testing/__init__.py": "import socket\nfrom langchain_kimi.kimi import profiles",
}


def house(**changes: str) -> Mapping[str, Module]:
    """The made-up house, with the text of some modules changed: `kimi_profiles` is "kimi/profiles.py"."""
    changed = {f"langchain_kimi/{name.replace('__', '/')}.py": source for name, source in changes.items()}
    return modules_of(HOUSE | changed)


def test_the_house_as_it_should_be() -> None:
    assert floors.trespasses(house()) == []
    assert floors.cycle(house()) == []
    assert floors.environment_reads(house()) == []
    assert floors.imports_from_testing(house()) == []


@pytest.mark.parametrize(
    "source",
    [
        "import langchain_kimi.chat_models",
        "from langchain_kimi.chat_models import ChatKimi",
        "from langchain_kimi import chat_models",
        "from langchain_kimi import ChatKimi",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from langchain_kimi.chat_models import ChatKimi",
        "def f() -> None:\n    from langchain_kimi.chat_models import ChatKimi",
        "def f(model: 'langchain_kimi.chat_models.ChatKimi') -> None: ...",
        "def f() -> 'list[langchain_kimi.chat_models.ChatKimi]': ...",
        "model: dict[str, 'langchain_kimi.chat_models.ChatKimi | None'] = {}",
        "model = import_module('langchain_kimi.chat_models')",
        "from ..chat_models import ChatKimi",
        "from . import chat_models",
        "from langchain_kimi.openrouter import sse",
        "from langchain_kimi.openrouter.sse import decode",
        "import langchain_core.messages",
        "from httpx import Client",
        "import tiktoken",
        "import asyncio",
        "from concurrent.futures import Future",
        "from http.client import HTTPConnection",
        "from http import client",
        "from urllib import request",
    ],
)
def test_an_import_that_is_not_below(source: str) -> None:
    [found] = floors.trespasses(house(kimi__profiles=source))
    assert found.startswith("langchain_kimi/kimi/profiles.py:")


@pytest.mark.parametrize(
    "source",
    [
        '"""See langchain_kimi.chat_models."""',
        "# import langchain_kimi.chat_models",
        "text = 'Ask langchain_kimi.chat_models for it.'",
        "from http import HTTPStatus",
        "from urllib.parse import quote",
        "import json",
        "from langchain_kimi.errors import KimiError",
        "from langchain_kimi.kimi import tokenizer",
    ],
)
def test_what_is_no_trespass(source: str) -> None:
    assert floors.trespasses(house(kimi__profiles=source, kimi__tokenizer="import tiktoken")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("openrouter__wire", "from langchain_kimi.openrouter.sse import decode"),
        ("openrouter__sse", "import httpx"),
        ("openrouter__sse", "import time"),
        ("openrouter__sse", "from langchain_kimi.kimi.profiles import profile"),
        ("_messages__to_wire", "from langchain_kimi.callbacks import Budget"),
        ("callbacks", "from langchain_kimi.chat_models import ChatKimi"),
        ("chat_models", "from langchain_kimi.testing import Emulator"),
        ("testing__server", "from langchain_kimi.chat_models import ChatKimi"),
        ("testing__server", "from langchain_kimi.openrouter.transport import post"),
        ("errors", "from langchain_kimi.openrouter.wire import WireError"),
    ],
)
def test_a_trespass_in_each_room(module: str, source: str) -> None:
    assert len(floors.trespasses(house(**{module: source}))) == 1


def test_a_module_without_a_room() -> None:
    assert floors.trespasses(house(helpers="")) == ["langchain_kimi/helpers.py belongs to no room"]


def test_a_cycle_within_a_room() -> None:
    found = floors.cycle(
        house(kimi__schemas="from langchain_kimi.kimi import markup", kimi__markup="import langchain_kimi.kimi.schemas")
    )
    assert found[0] == found[-1]
    assert set(found) == {"kimi.schemas", "kimi.markup"}


@pytest.mark.parametrize(
    "source",
    [
        "import os\nkey = os.environ['KEY']",
        "import os\nkey = os.getenv('KEY')",
        "from os import environ",
        "from os import getenv as look",
        "from langchain_core.utils import secret_from_env",
        "from langchain_core import utils\nkey = utils.from_env('KEY')",
    ],
)
def test_a_look_into_the_environment(source: str) -> None:
    assert len(floors.environment_reads(house(_messages__to_wire=source))) == 1
    assert floors.environment_reads(house(chat_models=source, testing__server=source)) == []


def test_an_import_of_testing() -> None:
    found = floors.imports_from_testing(house(callbacks="from langchain_kimi import testing"))
    assert found == ["langchain_kimi/callbacks.py"]


def test_a_permission_that_is_left_over() -> None:
    needed = {"openrouter__transport": "import httpx", "openrouter__clients": "import ssl"}
    left_over = floors.unneeded_permissions(house(**needed, kimi__tokenizer="import re"))
    assert set(left_over) == set(floors.MORE_OUTSIDE) - {"openrouter.transport", "openrouter.clients"}


def test_names_of_modules() -> None:
    assert set(house()) == {
        "__init__",
        "_messages.to_wire",
        "callbacks",
        "chat_models",
        "errors",
        "kimi.profiles",
        "openrouter",
        "openrouter.sse",
        "openrouter.transport",
        "openrouter.wire",
        "testing",
    }
    assert [floors.full_name(name) for name in ("__init__", "errors")] == ["langchain_kimi", "langchain_kimi.errors"]
