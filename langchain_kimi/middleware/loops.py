"""Middleware that ends loops of the same calls with the same results."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, get_args

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.runtime import Runtime

from langchain_kimi.errors import KimiReplyError, KimiUsageError
from langchain_kimi.middleware.turns import is_nudge, nudge, since_input

OnLoop = Literal["error", "nudge"]

_NUDGE = (
    "The last {steps} tool calls repeat the same calls with the same results {repeats} times. Calling them again will "
    "not change anything. Try something else, or answer with what you have."
)


class KimiLoopError(KimiReplyError):
    """The model repeats the same tool calls, and gets the same results.

    Attributes:
        repeats: The number of times that the calls were repeated.
        calls: The repeated calls, in order, each with its `name` and `args`.
        partial: The last reply.
    """

    repeats: int
    calls: Sequence[Mapping[str, Any]]
    _own_defaults: ClassVar[Mapping[str, Any]] = {"repeats": 0, "calls": ()}


class LoopGuard(AgentMiddleware[AgentState[Any], Any, Any]):
    """Ends a loop of the same tool calls with the same results.

    A step is a reply with calls and their results. A loop is `max_repeats` repetitions, directly one after the other,
    of one step, or of a sequence of steps such as A, B, A, B, A, B. Steps are equal if they have the same names,
    arguments and results; ids, texts, and the order of parallel calls and of keys do not matter. A call that is
    repeated with another result, or with other steps in between that change, is not a loop. Only the steps since the
    last user message count.

    Args:
        max_repeats: The number of repetitions that is a loop, at least 2. Raise it for agents that poll.
        on_loop: `"error"` raises a `KimiLoopError` before the next model call. `"nudge"` first sends the model a user
            message about the loop, and raises the error if there is another loop before the next user message.

    Raises:
        KimiUsageError: An argument is out of range.
        KimiLoopError: The agent raises it for a loop. It is not retryable.
    """

    def __init__(self, max_repeats: int = 3, on_loop: OnLoop = "error") -> None:
        super().__init__()
        if max_repeats < 2:  # noqa: PLR2004 - every call is there once
            raise KimiUsageError(f"max_repeats must be at least 2, got {max_repeats}.")
        if on_loop not in get_args(OnLoop):
            raise KimiUsageError(f"on_loop must be 'error' or 'nudge', got {on_loop!r}.")
        self.max_repeats = max_repeats
        self.on_loop = on_loop

    def before_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:  # noqa: ARG002 - LangChain's signature
        """Look for a loop at the end of the conversation.

        Raises:
            KimiLoopError: There is a loop.
        """
        turn = since_input(state["messages"])
        last_nudge = max((position for position, message in enumerate(turn) if _is_own(message)), default=None)
        steps = steps_in(turn if last_nudge is None else turn[last_nudge + 1 :])
        length = length_of_loop([fingerprint for _, fingerprint in steps], self.max_repeats)
        if length is None:
            return None
        replies = [reply for reply, _ in steps[-length:]]
        if self.on_loop == "nudge" and last_nudge is None:
            count = sum(len(reply.tool_calls) for reply in replies) * self.max_repeats
            message = nudge(_NUDGE.format(steps=count, repeats=self.max_repeats))
            message.response_metadata["kimi"]["loop"] = True
            return {"messages": [message]}
        raise self._error(replies)

    async def abefore_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Look for a loop at the end of the conversation; see `before_model`."""
        return self.before_model(state, runtime)

    def _error(self, replies: Sequence[AIMessage]) -> KimiLoopError:
        calls: list[dict[str, Any]] = [
            {"name": call["name"], "args": call["args"]} for reply in replies for call in reply.tool_calls
        ]
        names = ", ".join(dict.fromkeys(call["name"] for call in calls))
        details: dict[str, Any] = {"repeats": self.max_repeats, "calls": tuple(calls)}
        return KimiLoopError(
            f"The model made the same calls ({names}) with the same results {self.max_repeats} times in a row.",
            partial=replies[-1],
            is_retryable=False,
            advice="If the agent waits for something, raise max_repeats.",
            **details,
        )


def steps_in(messages: Sequence[Any]) -> list[tuple[AIMessage, str]]:
    """Return the replies with tool calls, each with the fingerprint of its calls and results."""
    steps: list[tuple[AIMessage, dict[str, Any]]] = []
    for message in messages:
        if isinstance(message, AIMessage):
            steps.append((message, {}))
        elif isinstance(message, ToolMessage) and steps:
            steps[-1][1][message.tool_call_id] = message.content
    return [(reply, _fingerprint(reply, results)) for reply, results in steps if reply.tool_calls]


def _fingerprint(reply: AIMessage, results: Mapping[str, Any]) -> str:
    calls: list[str] = [
        json.dumps([call["name"], call["args"], results.get(call["id"] or "")], sort_keys=True, default=str)
        for call in reply.tool_calls
    ]
    return "\n".join(sorted(calls))


def length_of_loop(fingerprints: Sequence[str], repeats: int) -> int | None:
    """Return the length of the shortest sequence that is repeated at the end, or None if there is no loop.

    Args:
        fingerprints: The steps.
        repeats: The number of repetitions, the first one included.
    """
    for length in range(1, len(fingerprints) // repeats + 1):
        end = fingerprints[-length * repeats :]
        if all(step == end[position % length] for position, step in enumerate(end)):
            return length
    return None


def _is_own(message: Any) -> bool:
    return is_nudge(message) and "loop" in message.response_metadata["kimi"]
