"""The constructor of a pydantic model as users see it: its signature, and the line that a warning points at."""

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, Signature
from types import FrameType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from langchain_kimi._keys import Key, is_key
from langchain_kimi._openrouter.http.connection import TimeoutSetting
from langchain_kimi._openrouter.parameters.merging import OTHER_NAMES
from langchain_kimi._openrouter.parameters.rules import TYPO_RATIO, closest

DEFAULT_MODEL = "moonshotai/kimi-k2-0905"
# Type checkers do not see an alias that is not a literal. They accept both names of these fields.
ALIASES: dict[str, str] = {
    "model_name": "model",
    "openrouter_api_key": "api_key",
    "openrouter_api_base": "base_url",
    "request_timeout": "timeout",
}
FIRST_FIELDS = ("model_name", "openrouter_api_key", "openrouter_api_base", "host")
"""The fields that come first in the constructor's signature."""


class Signed(BaseModel, defer_build=True):
    """Gives all subclasses a readable signature: that of pydantic has validators in its annotations."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Set the signature of a new subclass, unless a user wrote its constructor."""
        super().__pydantic_init_subclass__(**kwargs)
        constructing = next(base for base in cls.__mro__ if "__init__" in vars(base))
        if constructing.__module__.partition(".")[0] in _PACKAGES:
            setattr(cls, "__signature__", LazySignature(FIRST_FIELDS, OTHER_NAMES))  # noqa: B010 - a class attribute


if TYPE_CHECKING:

    class Aliases(Signed):
        """The aliases of settings, for type checkers and editors."""

        model: str = DEFAULT_MODEL
        """The model's slug at OpenRouter, by default `moonshotai/kimi-k2-0905`."""
        api_key: Key = None
        """The API key, or a function that is called for the key of each call; by default the environment variable
        `OPENROUTER_API_KEY`, or that of the host."""
        base_url: str | None = None
        """The base URL of the API; by default the environment variable `OPENROUTER_API_BASE`, or that of the host."""
        timeout: TimeoutSetting = None
        """Seconds without content before a call fails (default 120), or a dict of `connect`, `idle` and `total`."""
else:
    Aliases = Signed

Method = TypeVar("Method", bound=Callable[..., Any])
_PACKAGES = frozenset({"langchain_kimi", "langchain_core", "pydantic"})


def construction_depth(model: type[BaseModel]) -> int:
    """Return the `stacklevel` with which a warning points at the line that constructs a model or a subclass of it."""
    depth, frame = 0, inspect.currentframe()
    while frame is not None and _constructs(frame, model):
        depth, frame = depth + 1, frame.f_back
    return depth


def _constructs(frame: FrameType, model: type[BaseModel]) -> bool:
    if frame.f_globals.get("__name__", "").partition(".")[0] in _PACKAGES:
        return True
    return frame.f_code.co_name == "__init__" and isinstance(frame.f_locals.get("self"), model)


NOT_NEEDED = " is not needed: pass its entries as arguments of their own. They are sent unchanged."
EXTRA_BODY = f"extra_body{NOT_NEEDED}"


def with_extra_body(arguments: Mapping[str, Any], container: str = "extra_body") -> dict[str, Any]:
    """Return arguments with the entries of `extra_body`, which users of ChatOpenAI pass, as arguments of their own.

    Args:
        arguments: The arguments.
        container: The name of the argument with the entries, which is `model_kwargs` in a call for some users.

    Raises:
        ValueError: The container is not a dict, or an entry of it is also an argument with another value.
    """
    named = {name: value for name, value in arguments.items() if name != container}
    extra = arguments.get(container) or {}
    if not isinstance(extra, Mapping):
        raise ValueError(f"{container} must be a dict, not {type(extra).__name__}.")  # noqa: TRY004 - as pydantic wants it
    if twice := sorted(name for name in extra.keys() & named.keys() if extra[name] != named[name]):
        raise ValueError(f"{', '.join(twice)}: passed twice, as an argument and in {container}.")
    return {**named, **extra}


NO_PARAMETERS = {
    "stream": "call .stream(), or pass streaming=True",
    "messages": "pass them to the call",
    **dict.fromkeys(
        ("client", "async_client", "root_client", "root_async_client"),
        "pass an HTTP client as http_client or http_async_client",
    ),
    "openai_api_base": "pass it as base_url",
    "openai_proxy": "pass it as proxy",
    "stream_chunk_timeout": "pass it as timeout",
    **dict.fromkeys(("extra_headers", "headers"), "pass them as default_headers"),
    **dict.fromkeys(("extra_query", "default_query"), "put what the server needs into base_url or default_headers"),
}
"""Names that would break each request or reveal a secret if they were sent as parameters, and what to do instead."""


def with_model_kwargs(
    arguments: Mapping[str, Any], names: set[str], parameters: frozenset[str], model: type[BaseModel]
) -> dict[str, Any]:
    """Return a constructor's arguments; unknown ones are moved to `model_kwargs` with a warning.

    Args:
        arguments: The arguments. Parameters in their `model_kwargs` become arguments of their own; ChatOpenRouter has
            no fields for some of them, so its users pass them there.
        names: The names of all arguments.
        parameters: The names of the request parameters among them.
        model: The class that is constructed.

    Raises:
        ValueError: `model_kwargs` is not a dict, or an argument is passed twice, in the wrong place, or would break
            each request.
    """
    has_extra_body = arguments.get("extra_body") is not None
    arguments = with_extra_body(arguments)
    extra = arguments.get("model_kwargs") or {}
    if not isinstance(extra, Mapping):
        raise ValueError(f"model_kwargs must be a dict, not {type(extra).__name__}.")  # noqa: TRY004 - as pydantic wants it
    if has_extra_body or extra.get("extra_body") is not None:
        warnings.warn(EXTRA_BODY, stacklevel=construction_depth(model))
    extra = with_extra_body(extra)
    moved = {name: extra.pop(name) for name in parameters & (extra.keys() - arguments.keys())}
    if misplaced := sorted(names & extra.keys()):
        raise ValueError(f"{', '.join(misplaced)}: pass these as arguments of their own, not in model_kwargs.")
    unknown = {name: value for name, value in arguments.items() if name not in names}
    if twice := sorted(unknown.keys() & extra):
        raise ValueError(f"{', '.join(twice)}: passed twice, as an argument and in model_kwargs.")
    extra |= unknown
    advice = {**NO_PARAMETERS, **dict.fromkeys(filter(is_key, extra), "pass the key as api_key")}
    if wrong := [f"{name} is not a parameter: {advice[name]}." for name in advice if name in extra]:
        raise ValueError(" ".join(wrong))
    for name in unknown:
        meant = closest(name, sorted(names), TYPO_RATIO)
        question = f" did you mean {meant}?" if meant else ""
        warnings.warn(
            f"{name} is not a parameter that this package knows;{question} it goes to model_kwargs and is sent as "
            "it is.",
            stacklevel=construction_depth(model),
        )
    fields = {name: value for name, value in arguments.items() if name in names}
    return {**moved, **fields, "model_kwargs": extra}


def signature(model: type[BaseModel], first: Iterable[str], other_names: Mapping[str, str]) -> Signature:
    """Return the signature of a model's constructor, without the validators that pydantic shows in the annotations.

    Args:
        model: The model. Its own fields and those of this package come before those of other packages.
        first: The names of the fields that come first.
        other_names: Further names of arguments, and the fields that they set.
    """
    own = {name.partition(".")[0] for name in (model.__module__, __name__)}
    fields = model.model_fields
    inherited = {
        name
        for base in model.__mro__
        if issubclass(base, BaseModel) and base.__module__.partition(".")[0] not in own
        for name in base.model_fields
    }
    order = sorted(fields, key=lambda name: name in inherited)
    names = [(fields[name].alias or name, name) for name in dict.fromkeys((*first, *order))]
    parameters = [
        Parameter(
            shown, Parameter.KEYWORD_ONLY, default=_default(fields[name]), annotation=plain(fields[name].annotation)
        )
        for shown, name in (*names, *other_names.items())
    ]
    return Signature([*parameters, Parameter("model_parameters", Parameter.VAR_KEYWORD, annotation=Any)])


class LazySignature:
    """The signature of a constructor, which is made when it is read; see `signature`."""

    def __init__(self, first: Iterable[str], other_names: Mapping[str, str]) -> None:
        self._first = first
        self._other_names = other_names

    def __get__(self, instance: object, owner: type[BaseModel]) -> Signature:
        return signature(owner, self._first, self._other_names)


def with_stored_signature(method: Method) -> Method:
    """Return a method that stores its signature, where `inspect.signature` looks first (PEP 362).

    langchain-core inspects `_generate` and `_agenerate` on each call, which takes 6 instead of 18 µs with it.
    """
    method.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]  # typeshed leaves it out
    return method


def _default(field: Any) -> Any:
    return field.get_default(call_default_factory=False) if field.default_factory is None else None


def plain(annotation: Any) -> Any:
    """Return an annotation without the metadata of `Annotated`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return plain(arguments[0])
    if origin in (Union, UnionType):
        return Union[tuple(plain(argument) for argument in arguments)]  # noqa: UP007 - made of a tuple
    if origin is None or not any(get_args(argument) for argument in arguments):
        return annotation
    return origin[tuple(plain(argument) for argument in arguments)]
