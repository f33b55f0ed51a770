"""OpenRouter plugins (`plugins`): processing of a request or its reply by OpenRouter.

A plugin of the request overrides the account's default for it; `enabled=False` switches such a default off. A plugin
with an unknown id becomes a `GenericPlugin` and is sent unchanged.
"""

import importlib
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from langchain_kimi._openrouter.parameters.options import Options, as_dict
from langchain_kimi._openrouter.parameters.rules import checked_word, invalid


class Plugin(Options):
    """The base class of all plugins, identified by `id`."""

    label = "plugin"

    id: str
    """OpenRouter's id of the plugin."""


class _WithAllFields:
    """pydantic's `SerializeAsAny`, whose module took a thirtieth of the package's import."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: Any) -> Any:
        return {**handler(source), "serialization": {"type": "any"}}


AnyPlugin: TypeAlias = Annotated[Plugin, _WithAllFields()]
"""A plugin of any class, which is serialized with the fields of its class."""


class GenericPlugin(Plugin):
    """A plugin with any id and any keys, all of them sent unchanged."""

    label = "plugin"
    takes_any_key = True


def plugin(value: object) -> Plugin:
    """Return the plugin, built from a dict by its `id` if necessary.

    To send an id that is refused as a typo, pass a `GenericPlugin` instead of a dict.

    Raises:
        ValueError: The value is neither a plugin nor a dict with an `id`, or the id is a typo of a documented one.
    """
    if isinstance(value, Plugin):
        return value
    # Building these classes took a fifteenth of the package's import.
    by_id: dict[str, type[Plugin]] = importlib.import_module(f"{__package__}.plugins").BY_ID
    value = as_dict(value)
    if not isinstance(value, Mapping):
        raise invalid("a plugin or a dict", value)
    if not isinstance(value.get("id"), str):
        raise invalid(f"a dict with an 'id', such as {', '.join(by_id)}", value)
    return by_id.get(checked_word(value["id"], list(by_id)), GenericPlugin).model_validate(dict(value))
