"""The model inside a runnable: the settings that decide its requests, and the key of a row."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.load import dumpd
from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import BasePromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable, RunnableParallel
from pydantic import BaseModel

from langchain_kimi._request.messages import messages_to_wire
from langchain_kimi._settings import KimiSettings
from langchain_kimi._structured.prompting import as_messages
from langchain_kimi.bulk.rows import is_null
from langchain_kimi.errors import KimiUsageError

_INNER = ("bound", "model", "runnable", "mapper")
"""The attributes under which LangChain's and our runnables have the runnable inside them."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class Target:
    """The model of a runnable, and the steps around it.

    Attributes:
        model: The chat model.
        arguments: The parameters that are bound to it.
        before: The steps that make its input.
        instruction: A text that a step adds to the messages; may be empty.
        schema: The pydantic class of the values; None for other values.
    """

    model: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    before: tuple[Runnable[Any, Any], ...] = ()
    instruction: str = ""
    schema: type[BaseModel] | None = None

    def description(self) -> dict[str, Any]:
        """Return everything but the rows that the requests depend on, as JSON types."""
        body = self.model.request_body("", **self.arguments)
        del body["messages"]
        return {"request": body, "steps": [_described(step) for step in self.before], "instruction": self.instruction}

    def filled(self, row: Any) -> dict[str, Any] | None:
        """Return a row as its prompt is to show it; None if that is the row itself.

        Nulls become empty text, as they are in CSV files. Lists and objects become JSON. The template would write
        Python's form of both: `None` and `['a']`.

        Args:
            row: The row.

        Raises:
            KimiUsageError: All columns of the prompt are null.
            TypeError: A dict in a column has keys that JSON does not have.
            ValueError: A list or a dict in a column contains itself.
        """
        template = self.before[0] if self.before else None
        if not isinstance(template, BasePromptTemplate):
            return None
        if not isinstance(row, dict):
            # LangChain takes it as the value of the only variable.
            row = dict.fromkeys(template.input_variables, row) if len(template.input_variables) == 1 else {}
        parts = getattr(template, "messages", ())
        placeholders = {part.variable_name for part in parts if isinstance(part, MessagesPlaceholder)}
        columns = [name for name in template.input_variables if name in row and name not in placeholders]
        nulls = [name for name in columns if is_null(row[name])]
        if nulls and len(nulls) == len(columns) and not placeholders:
            raise KimiUsageError(f"The row is null in {', '.join(nulls)}, and the prompt has no other columns.")
        nested = [name for name in columns if isinstance(row[name], dict | list)]
        texts = {name: _json(row[name]) for name in nested} if nested and _writes_text(template) else {}
        return {**row, **texts, **dict.fromkeys(nulls, "")} if nulls or texts else None

    def key_of(self, row: Any, description: bytes) -> str:
        """Return the key of a row: a digest of the request that it makes.

        Args:
            row: The row.
            description: The digest of `description`.

        Raises:
            Exception: The prompt cannot be made of the row.
        """
        value = row
        for step in self.before:
            if not isinstance(step, BasePromptTemplate):
                # A step of any other kind may take long or have effects, so the row stands for its result.
                value = row
                break
            value = step.format_prompt(**value) if isinstance(value, dict) else step.invoke(value)
        return hashlib.blake2b(description + _canonical(value), digest_size=16).hexdigest()


def target_of(runnable: Any) -> Target:
    """Return the model in a runnable.

    Raises:
        KimiUsageError: There is no `ChatKimi` in it.
    """
    target = _target(runnable)
    if target is None:
        raise KimiUsageError(
            "The runnable has no ChatKimi.", advice="Pass a ChatKimi, or a chain, binding or structured output of one."
        )
    return target


def digest_of(description: Mapping[str, Any]) -> bytes:
    """Return a digest of a description."""
    return hashlib.blake2b(json.dumps(description, sort_keys=True, default=str).encode(), digest_size=16).digest()


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield the differences between two descriptions, a line each."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{path}[{place}]")
    else:
        yield f"{path}: {_short(old)} there, {_short(new)} now"


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."  # noqa: PLR2004 - the length of a line


def _target(runnable: Any) -> Target | None:
    if not isinstance(runnable, Runnable):
        return None
    if isinstance(runnable, KimiSettings):
        return Target(runnable)
    if isinstance(steps := getattr(runnable, "steps", None), list):
        return _first(_in_step(steps, place) for place in range(len(steps)))
    if isinstance(runnable, RunnableParallel):
        return _first(map(_target, runnable.steps__.values()))
    inner = _first(_target(getattr(runnable, name, None)) for name in _INNER)
    if inner is None:
        return None
    arguments = {**inner.arguments, **(getattr(runnable, "kwargs", None) or {})}
    return replace(inner, arguments=arguments, instruction=getattr(runnable, "instruction", inner.instruction))


def _in_step(steps: list[Any], place: int) -> Target | None:
    """Return the model in a step of a sequence."""
    inner = _target(steps[place])
    if inner is None:
        return None
    schema = next(filter(None, map(_schema_of, steps[place + 1 :])), inner.schema)
    return replace(inner, before=(*steps[:place], *inner.before), schema=schema)


def _first(targets: Iterable[Target | None]) -> Target | None:
    return next(filter(None, targets), None)


def _schema_of(step: Any) -> type[BaseModel] | None:
    """Return the pydantic class of a parser of structured output, also of one inside of `include_raw`."""
    parser = getattr(step, "parser", step)
    model = getattr(getattr(parser, "target", None), "model", None)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _described(step: Runnable[Any, Any]) -> Any:
    dumped = dumpd(step)
    if isinstance(dumped, dict) and dumped.get("type") == "constructor":
        return dumped["kwargs"]
    return _ADDRESS.sub("", repr(step))


def _writes_text(template: Any) -> bool:
    """Return whether a template only writes its variables. Those of jinja2 and users' own may read lists and dicts."""
    if isinstance(template, BaseMessage | MessagesPlaceholder):
        return True
    parts = getattr(template, "messages", None) or getattr(template, "prompt", None)
    if parts is None:
        return getattr(template, "template_format", None) == "f-string"
    return all(map(_writes_text, parts if isinstance(parts, list) else [parts]))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _canonical(value: Any) -> bytes:
    """Return equal bytes for equal inputs of a model, or for equal rows."""
    if isinstance(value, str | PromptValue) or _is_conversation(value):
        value = messages_to_wire(as_messages(value))
    return json.dumps(value, sort_keys=True, default=repr).encode()


def _is_conversation(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, BaseMessage | tuple) for one in value)
