"""What LangChain's traces are told of a call."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.language_models.base import LangSmithParams

from langchain_kimi._messages.from_wire import PROVIDER

_LIMITS = ("max_tokens", "max_completion_tokens")


def langsmith_params(
    settings: Mapping[str, Any], call: Mapping[str, Any], stop: str | Sequence[str] | None
) -> LangSmithParams:
    """Say what is asked of which model, by LangSmith's names.

    Args:
        settings: The model's name and parameters.
        call: The call's own parameters, which win; of the two limits of a reply, too.
        stop: Where the call is to stop; None: where the parameters say.
    """
    parameters = {**settings, **call}
    name = call.get("model") or call.get("model_name") or settings["model"]
    told = LangSmithParams(ls_provider=PROVIDER, ls_model_name=name, ls_model_type="chat")
    if (temperature := parameters.get("temperature")) is not None:
        told["ls_temperature"] = temperature
    limits = [layer.get(limit) for layer in (call, parameters) for limit in _LIMITS]
    if most := next(filter(None, limits), None):
        told["ls_max_tokens"] = most
    if stops := stop or parameters.get("stop"):
        told["ls_stop"] = [stops] if isinstance(stops, str) else list(stops)
    return told
