"""Functions for LangChain features that are limited to LangChain's own packages: loading and `init_chat_model`."""

import importlib
from typing import Any

from langchain_kimi.chat_models import ChatKimi

PROVIDER = "kimi"
"""The provider's name in `init_chat_model("kimi:moonshotai/kimi-k2-0905")`."""


def load_arguments() -> dict[str, Any]:
    """Return the arguments with which langchain-core loads a dumped ChatKimi, or a chain that contains one.

    By default langchain-core loads only classes of LangChain's own packages. A dump does not contain the key: it is
    read from the environment variable `OPENROUTER_API_KEY`, or that of the host. Structured output is loaded too,
    unless its schema is a pydantic class, because a dump does not contain code.

    Example:
        ```python
        from langchain_core.load import dumps, loads

        chain = loads(dumps(prompt | ChatKimi()), **load_arguments())
        ```
    """
    from langchain_kimi._structured.plan import OUTPUT_CLASSES  # noqa: PLC0415 - imported when needed

    classes = (ChatKimi, *OUTPUT_CLASSES)
    return {
        "allowed_objects": "core",
        "valid_namespaces": ["langchain_kimi"],
        "additional_import_mappings": {
            tuple(cls.lc_id()): (*cls.__module__.split("."), cls.__name__) for cls in classes
        },
        "secrets_from_env": True,
    }


def register_init_chat_model() -> None:
    """Make `init_chat_model("kimi:...")` and `create_agent("kimi:...")` return a ChatKimi in this process.

    LangChain has no public way to add a provider. This function adds an entry to its private list.

    Raises:
        ImportError: langchain is not installed.
        RuntimeError: This version of langchain has another list. Pass a ChatKimi instead of a name.
    """
    base = importlib.import_module("langchain.chat_models.base")
    providers = getattr(base, "_BUILTIN_PROVIDERS", None)
    call = getattr(base, "_call", None)
    if not isinstance(providers, dict) or call is None:
        raise RuntimeError(
            "ChatKimi cannot be registered with this version of langchain: pass a ChatKimi instead of a name."
        )
    providers[PROVIDER] = ("langchain_kimi", ChatKimi.__name__, call)
