"""The import rule finds what it forbids: small invented packages, most of them with one fault."""

from collections.abc import Mapping

import pytest

from tests.structure import imports
from tests.structure.tree import Module, modules_of

VALID = {
    "langchain_kimi/__init__.py": "from langchain_kimi.chat_models import ChatKimi",
    "langchain_kimi/errors.py": "from langchain_core.exceptions import ModelError",
    "langchain_kimi/chat_models.py": "import httpx\nfrom langchain_kimi._request.messages import to_wire",
    "langchain_kimi/callbacks.py": "",
    "langchain_kimi/_request/messages.py": "from langchain_kimi._kimi.profiles import profile",
    "langchain_kimi/_kimi/profiles.py": "from langchain_kimi._openrouter.wire import WireBody",
    "langchain_kimi/_openrouter/__init__.py": "",
    "langchain_kimi/_openrouter/wire.py": "from typing import TypedDict",
    "langchain_kimi/_openrouter/reply/sse.py": "from langchain_kimi._openrouter import wire",
    "langchain_kimi/_openrouter/http/transport.py": (
        "import asyncio\nimport httpx\nfrom langchain_kimi._openrouter.reply import sse"
    ),
    "langchain_kimi/testing/__init__.py": "import socket\nfrom langchain_kimi._kimi import profiles",
}


def package(**changes: str) -> Mapping[str, Module]:
    """Return the valid package with the text of some modules changed: `_kimi__profiles` is "_kimi/profiles.py"."""
    changed = {f"langchain_kimi/{name.replace('__', '/')}.py": source for name, source in changes.items()}
    return modules_of(VALID | changed)


def test_a_valid_package_passes_every_check() -> None:
    assert imports.forbidden_imports(package()) == []
    assert imports.cycle(package()) == []
    assert imports.environment_reads(package()) == []
    assert imports.imports_from_testing(package()) == []


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
        "from langchain_kimi._request import messages",
        "from langchain_kimi._request.messages import to_wire",
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
def test_an_import_from_above_is_reported(source: str) -> None:
    [line] = imports.forbidden_imports(package(_kimi__profiles=source))
    assert line.startswith("langchain_kimi/_kimi/profiles.py:")


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
        "from langchain_kimi._kimi import families",
    ],
)
def test_an_import_from_below_is_allowed(source: str) -> None:
    assert imports.forbidden_imports(package(_kimi__profiles=source, _kimi__families="")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("_openrouter__wire", "import httpx"),
        ("_openrouter__reply__sse", "import time"),
        ("_openrouter__reply__sse", "from langchain_kimi._openrouter.http.transport import exchange"),
        ("_openrouter__reply__sse", "from langchain_kimi._kimi.profiles import profile"),
        ("_request__messages", "from langchain_kimi.callbacks import Budget"),
        ("callbacks", "from langchain_kimi.chat_models import ChatKimi"),
        ("chat_models", "from langchain_kimi.testing import Emulator"),
        ("testing__server", "from langchain_kimi.chat_models import ChatKimi"),
        ("testing__server", "from langchain_kimi._openrouter.http.transport import post"),
        ("errors", "from langchain_kimi._openrouter.wire import WireError"),
    ],
)
def test_each_layer_has_its_limits(module: str, source: str) -> None:
    assert len(imports.forbidden_imports(package(**{module: source}))) == 1


def test_a_module_without_a_layer_is_reported() -> None:
    assert imports.forbidden_imports(package(helpers="")) == ["langchain_kimi/helpers.py belongs to no layer"]


def test_a_cycle_within_a_layer_is_reported() -> None:
    sources = {
        "_kimi__schemas": "from langchain_kimi._kimi import markup",
        "_kimi__markup": "import langchain_kimi._kimi.schemas",
    }
    names = imports.cycle(package(**sources))
    assert names[0] == names[-1]
    assert set(names) == {"_kimi.schemas", "_kimi.markup"}


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
def test_reads_of_the_environment_are_reported(source: str) -> None:
    assert len(imports.environment_reads(package(_request__messages=source))) == 1
    assert imports.environment_reads(package(cli__main=source, testing__server=source)) == []


def test_an_import_of_testing_is_reported() -> None:
    lines = imports.imports_from_testing(package(callbacks="from langchain_kimi import testing"))
    assert lines == ["langchain_kimi/callbacks.py"]


def test_an_unused_permission_is_reported() -> None:
    assert "_tracing has no modules" in imports.unused_permissions(package())
    assert "_tokens does not import tiktoken" in imports.unused_permissions(package(_tokens__vocabulary="import re"))
    assert "_tokens does not import tiktoken" not in imports.unused_permissions(
        package(_tokens__vocabulary="import tiktoken")
    )


def test_modules_are_named_from_the_package() -> None:
    assert set(package()) == {
        "__init__",
        "_kimi.profiles",
        "_openrouter",
        "_openrouter.http.transport",
        "_openrouter.reply.sse",
        "_openrouter.wire",
        "_request.messages",
        "callbacks",
        "chat_models",
        "errors",
        "testing",
    }
    assert [imports.full_name(name) for name in ("__init__", "errors")] == ["langchain_kimi", "langchain_kimi.errors"]
