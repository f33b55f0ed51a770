"""What of a conversation and a reply is mended, and whether calls are checked: the settings for it."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, Field, field_validator

from langchain_kimi.kimi.mend import Mending
from langchain_kimi.kimi.repairs import chosen_repairs
from langchain_kimi.kimi.validation import load_validator


class RepairSettings(BaseModel, defer_build=True):
    """The settings of a model that mends what Kimi and its hosts get wrong."""

    repairs: Literal["all", "none"] | bool | list[str] = "all"
    """Which of Kimi's and its hosts' mishaps are mended: all, none, or those that are named. The names are in
    `langchain_kimi.kimi.repairs`; `"orphans"` is only done where it is named, as in `["all", "orphans"]`."""

    validate_tool_calls: bool = False
    """Whether calls are held against the schemas of their tools; those that do not fit, or name no tool on offer,
    become invalid calls. Needs the extra `validation`."""

    retry_empty: int = Field(default=0, ge=0)
    """How many times an answer with nothing in it, which is billed all the same, is asked again, besides `max_retries`;
    after that, and by default at once, it is a `KimiEmptyReplyError`. How often it was is told by the answer that came,
    in `response_metadata["kimi"]["empty_answers"]`."""

    @field_validator("repairs", mode="before")
    @classmethod
    def _check_repairs(cls, value: Any) -> Any:
        chosen_repairs(value)
        return "all" if value is None else sorted(value) if isinstance(value, set | frozenset | tuple) else value

    @field_validator("validate_tool_calls")
    @classmethod
    def _check_validation(cls, value: bool) -> bool:  # noqa: FBT001 - pydantic gives the value like this
        if value:
            load_validator()
        return value

    def mending(self, call_ids: Callable[[], frozenset[str]]) -> Mending:
        """Say what is done to a reply; `call_ids` gives the ids of the calls in its conversation."""
        return Mending(chosen_repairs(self.repairs), call_ids, self.validate_tool_calls)
