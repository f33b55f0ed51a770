"""Middleware that limits the cost of a thread or a run."""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, NotRequired, cast, get_args

from langchain.agents.middleware import AgentMiddleware, AgentState, ExtendedModelResponse, ModelRequest, ModelResponse
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from langgraph.types import Command

from langchain_kimi.callbacks import Budget
from langchain_kimi.errors import KimiBudgetExceededError, KimiUsageError

Scope = Literal["thread", "run"]
OnLimit = Literal["error", "end"]


class CostState(AgentState[Any]):
    """The part of an agent's state that `CostLimit` uses. It is in checkpoints, but not in the output of the agent."""

    cost_limit_run: NotRequired[Annotated[str, PrivateStateAttr]]
    """The id of the run."""
    cost_limit_spent: NotRequired[Annotated[tuple[float, int], PrivateStateAttr]]
    """The US dollars and the tokens that the model calls of the thread or the run have cost so far."""


class CostLimit(AgentMiddleware[CostState, Any, Any]):
    """Stops a thread or a run before the cost of its model calls exceeds a limit.

    The maximum cost of a call is reserved before it is sent, so a call that may exceed the limit is not sent;
    see `Budget`. Set the model's `max_tokens`: without it, a reply may have as many tokens as the model can write.

    The amounts are in the agent's state, so a run that continues from a checkpoint, also in another process, continues
    the sum. A run that is resumed after an interrupt is the same run. Without a thread, each run has the limit. Failed
    calls count until the process ends. The model calls of tools and subagents do not count: give a subagent a
    `CostLimit` of its own with the same `budget`, or pass a `Budget` as a callback of the whole run.

    List this middleware last, so that it sees each attempt of the others.

    Args:
        max_cost: The limit in US dollars.
        max_tokens: The limit in tokens, input and output together.
        per: Whether each thread or each run has the limit.
        on_limit: `"error"` raises a `KimiBudgetExceededError`. `"end"` ends the run with a reply that says so.
        budget: A budget for all threads together, which also has the settings `reserve`, `wait`, `prices` and `shared`
            for each limit. The limits are its children. Without it, these settings have their defaults.

    Raises:
        KimiUsageError: Both limits are missing, an argument is out of range, or the agent calls a model whose prices
            are not known.
        KimiBudgetExceededError: The agent raises it for a call that may exceed the limit.
    """

    state_schema = CostState

    def __init__(
        self,
        max_cost: float | None = None,
        *,
        max_tokens: int | None = None,
        per: Scope = "thread",
        on_limit: OnLimit = "error",
        budget: Budget | None = None,
    ) -> None:
        super().__init__()
        if per not in get_args(Scope):
            raise KimiUsageError(f"per must be 'thread' or 'run', got {per!r}.")
        if on_limit not in get_args(OnLimit):
            raise KimiUsageError(f"on_limit must be 'error' or 'end', got {on_limit!r}.")
        try:
            Budget(max_cost=max_cost, max_tokens=max_tokens)
        except ValueError as error:
            raise KimiUsageError(str(error)) from None
        self.max_cost = max_cost
        self.max_tokens = max_tokens
        self.per = per
        self.on_limit = on_limit
        self.budget = budget
        self.remembered = 10_000
        """The number of budgets in memory. The state of the agent has the amounts of all others."""
        self._budgets: OrderedDict[str, Budget] = OrderedDict()
        self._lock = threading.Lock()

    def before_agent(self, state: CostState, runtime: Runtime[Any]) -> dict[str, Any]:  # noqa: ARG002 - LangChain's signature
        """Begin a run."""
        update: dict[str, Any] = {"cost_limit_run": uuid.uuid4().hex}
        return {**update, "cost_limit_spent": (0.0, 0)} if self.per == "run" else update

    async def abefore_agent(self, state: CostState, runtime: Runtime[Any]) -> dict[str, Any]:
        """Begin a run."""
        return self.before_agent(state, runtime)

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ExtendedModelResponse[Any]:
        """Call the model with the budget of the thread or the run.

        Raises:
            KimiBudgetExceededError: The call may exceed the limit.
        """
        budget = self._budget_of(request)
        try:
            response = handler(request.override(model=with_handler(request.model, budget)))
        except KimiBudgetExceededError as refusal:
            response = self._after(refusal)
        return _with_amounts(response, budget)

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ExtendedModelResponse[Any]:
        """Call the model with the budget of the thread or the run; see `wrap_model_call`."""
        budget = self._budget_of(request)
        try:
            response = await handler(request.override(model=with_handler(request.model, budget)))
        except KimiBudgetExceededError as refusal:
            response = self._after(refusal)
        return _with_amounts(response, budget)

    def _after(self, refusal: KimiBudgetExceededError) -> ModelResponse[Any]:
        if self.on_limit == "error":
            raise refusal
        return ModelResponse([AIMessage(refusal.reason, response_metadata={"kimi": {"cost_limit": True}})])

    def _budget_of(self, request: ModelRequest[Any]) -> Budget:
        """Return the budget of a thread or run. A new one begins with the amount in the agent's state."""
        info, state = request.runtime.execution_info, cast("CostState", request.state)
        thread = info.thread_id if info is not None and self.per == "thread" else None
        name = str(thread or state.get("cost_limit_run"))
        with self._lock:
            budget = self._budgets.get(name)
            if budget is None:
                budget = self._budgets[name] = self._new_budget(name)
                cost, tokens = state.get("cost_limit_spent") or (0.0, 0)
                if not (budget.spent or budget.spent_tokens):
                    budget.add(cost, tokens)
            self._budgets.move_to_end(name)
            if len(self._budgets) > self.remembered:
                self._budgets.popitem(last=False)
        return budget

    def _new_budget(self, name: str) -> Budget:
        limits: Any = {"max_cost": self.max_cost, "max_tokens": self.max_tokens}
        return Budget(**limits) if self.budget is None else self.budget.child(name, **limits)


def with_handler(model: BaseChatModel, handler: BaseCallbackHandler) -> BaseChatModel:
    """Return a copy of a model with one more callback handler."""
    callbacks = model.callbacks
    if callbacks is None or isinstance(callbacks, list):
        return model.model_copy(update={"callbacks": [*(callbacks or ()), handler]})
    manager = callbacks.copy()
    manager.add_handler(handler)
    return model.model_copy(update={"callbacks": manager})


def _with_amounts(response: ModelResponse[Any], budget: Budget) -> ExtendedModelResponse[Any]:
    spent = (budget.spent, budget.spent_tokens)
    return ExtendedModelResponse(response, Command(update={"cost_limit_spent": spent}))
