"""Ways into LangChain that it opens to its own packages only: loading what was dumped, and `init_chat_model`."""

import importlib
from typing import Any

from langchain_kimi.chat_models import ChatKimi

PROVIDER = "kimi"
"""What `init_chat_model` calls us: `init_chat_model("kimi:moonshotai/kimi-k2-0905")`."""


def load_arguments() -> dict[str, Any]:
    """Give the arguments with which langchain-core loads a dumped ChatKimi, or a chain that holds one.

    langchain-core loads only classes that it lists itself. The key is not in a dump: it is read from the environment's
    `OPENROUTER_API_KEY`. Structured output comes back too, unless its schema is a pydantic class: that is your code,
    which is in no dump.

    Example:
        ```python
        from langchain_core.load import dumps, loads

        chain = loads(dumps(prompt | ChatKimi()), **load_arguments())
        ```
    """
    from langchain_kimi._structured.plan import KINDS  # noqa: PLC0415 - a program without it imports it for nothing

    classes = (ChatKimi, *KINDS)
    return {
        "allowed_objects": "core",
        "valid_namespaces": ["langchain_kimi"],
        "additional_import_mappings": {tuple(known.lc_id()): _place_of(known) for known in classes},
        "secrets_from_env": True,
    }


def _place_of(known: type) -> tuple[str, ...]:
    return (*known.__module__.split("."), known.__name__)


def register_init_chat_model() -> None:
    """Make `init_chat_model("kimi:...")` and `create_agent("kimi:...")` give a ChatKimi, in this process.

    LangChain has no public way to add a provider; this adds to its private list, so call it only if you want to.

    Raises:
        ImportError: langchain is not installed.
        RuntimeError: this version of langchain keeps its list in another way; pass a ChatKimi instead of a name.
    """
    base = importlib.import_module("langchain.chat_models.base")
    providers = getattr(base, "_BUILTIN_PROVIDERS", None)
    call = getattr(base, "_call", None)
    if not isinstance(providers, dict) or call is None:
        raise RuntimeError("This version of langchain cannot be told of ChatKimi; pass a ChatKimi instead of a name.")
    providers[PROVIDER] = ("langchain_kimi", ChatKimi.__name__, call)
