"""Advice about a failure: the last sentences of an error's text."""

import json
import re
from collections.abc import Callable, Mapping

from langchain_kimi._patterns import lazy_pattern
from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiContextOverflowError,
    KimiError,
    KimiInvalidRequestError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPaymentRequiredError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiServerError,
    KimiUnexpectedStatusError,
)

OTHER_MODELS = (
    "other Kimi models are moonshotai/kimi-k2.6 and moonshotai/kimi-k2.7-code, and models=[...] lists fallbacks"
)
BY_MESSAGE = {
    # UKGovernmentBEIS/inspect_ai#5152: for a named tool and for "required".
    r"tool_choice.*incompatible with thinking": (
        "A Kimi model cannot be forced to call a tool while it reasons: leave tool_choice at 'auto', or set "
        "reasoning={'enabled': False} where the model allows it. For structured output, use method='json_schema'."
    ),
    # MoonshotAI/Kimi-K2#124, anomalyco/opencode#39214: every other value is refused, even 0.6.
    r"invalid temperature|temperature.*only [\d.]+ is allowed": (
        "This model accepts a single temperature: leave temperature out."
    ),
    # vercel/ai#18921, tailcallhq/forgecode#3123
    r"moonshot flavored json schema": (
        "Moonshot accepts a subset of JSON schema. In the schema named above, put the type into each branch of an "
        "anyOf instead of beside it, put nothing beside $ref, and no null into an enum; or exclude this provider with "
        "provider={'ignore': ['moonshotai']}."
    ),
    # anomalyco/opencode#29690, langchain-ai/langchain#36457
    r"reasoning_content is missing": (
        "Send each assistant message back unchanged, with the reasoning in its additional_kwargs, or set "
        "reasoning={'enabled': False} where the model allows it."
    ),
    # anomalyco/opencode#6056, Toloka/tolokaforge#1284
    r"role 'assistant' must not be empty": (
        "Remove the assistant message that has neither text nor tool calls from the history."
    ),
    # HKUDS/nanobot#3939, NousResearch/hermes-agent#34208
    r"cannot specify both.*(thinking|reasoning)": "Configure reasoning in one way only: with reasoning={...}.",
    r"reasoning is mandatory|reasoning (cannot|can't|can not) be (disabled|turned off)": (
        "This model always reasons: leave out reasoning={'enabled': False} and the effort 'none', or choose a model "
        "that can answer without reasoning; to leave the reasoning out of the reply, use reasoning={'exclude': True}."
    ),
    # continuedev/continue#6619, CultivateLabs/raif#462
    r"no endpoints found that (support|can handle)(?!.*context)"
    r"|no allowed providers|guardrail restrictions and data policy": (
        "The request's settings exclude every provider of this model: loosen provider={...} (only, ignore, "
        f"require_parameters, data_collection), or leave out the feature that the message names; {OTHER_MODELS}."
    ),
}
"""Observed messages of providers, as regular expressions, with specific advice. It replaces the advice of `BY_KIND`."""

TOOL_PLACE = lazy_pattern(
    # Moonshot, OpenAI and validators write paths (tools.3, tools[3], /tools/3, tools -> 3), others sentences.
    r"\b(?:tools|functions)['\"\]\s]{0,3}(?:\.?\[|\.|/|->|,)\s{0,2}['\"]?(\d{1,4})\b"
    r"|\b(?:tool|function)s?:?\s{1,2}(?:at\s)?(?:index|position|number|no\.?)\s{0,2}#?(\d{1,4})\b"
    r"|\b(?:tool|function)\s{0,2}#?(\d{1,4})\b",
    re.IGNORECASE,
)
"""The forms in which servers give the index of a tool, counted from 0."""
MAX_SEARCHED = 20_000
"""The maximum number of characters of a response that are searched for the index of a tool."""

BY_KIND: dict[type[KimiError], str] = {
    KimiContextOverflowError: "Shorten the messages, lower max_tokens, or choose a model with a larger context.",
    KimiAuthenticationError: "Check api_key or OPENROUTER_API_KEY: the key is missing, unknown or disabled.",
    KimiPaymentRequiredError: "Add credits, raise the key's limit, or lower max_tokens.",
    KimiModerationError: (
        "Change the input, which was flagged. `metadata['reasons']`, `metadata['flagged_input']` and `raw` may say why."
    ),
    KimiPermissionError: "The key or the account's guardrails do not allow this request.",
    KimiRateLimitError: "Wait and try again, allow other providers, or list fallbacks with models=[...].",
    KimiServerError: "Trying again may help, as may other providers, or fallbacks with models=[...].",
    KimiInvalidRequestError: "Change the request: the message above and `raw` describe the problem.",
    KimiNotFoundError: f"Check the model's slug: it may be misspelled or retired; {OTHER_MODELS}.",
    KimiUnexpectedStatusError: "OpenRouter does not document this status: check base_url, the proxy and the request.",
}
"""Advice by error class. The first class that matches is used, so subclasses come before their parents."""

LOGIN_ADVICE = (
    "The proxy asks for a user name and a password, or refuses them: write the right ones into its URL, with a colon "
    "between them and an @ before the host."
)
PROXY_LOGIN_STATUS = 407
NO_SUCH_PATH = (
    f"Check base_url, whose path is /v1 at most servers and /api/v1 at OpenRouter, and the model; {OTHER_MODELS}."
)
NAMED_MODEL = lazy_pattern(r"model|endpoint|provider|deployment", re.IGNORECASE)
PERMANENT_FAILURE = (
    "Trying again will not help: check base_url, the proxy and the request, or list fallbacks with models=[...]."
)
DAILY_LIMIT = "Retrying soon will not help: wait until the limit resets, or use a paid model."


def advice_for(error: KimiError) -> str:
    """Return advice for an error, from its message, its class and its `availability`."""
    sentences = (_general(error), _excluded(error), _alternatives(error), _wait(error))
    return " ".join(sentence for sentence in sentences if sentence)


def advice_on_tool(error: KimiError, body: bytes, own_names: Callable[[], Mapping[str, str]] = dict) -> str:
    """Return a sentence with the name of the tool that an error identifies only by its index (`tools.3.function`).

    Args:
        error: The error.
        body: The request body.
        own_names: Returns the user's names of tools that were sent under another name, by the sent name.

    Returns:
        The sentence; empty if the error does not identify a tool by its index.
    """
    if not isinstance(error, KimiInvalidRequestError):
        return ""
    text = error.response.text[:MAX_SEARCHED] if error.response else ""
    place = TOOL_PLACE.search(error.reason) or TOOL_PLACE.search(text.replace('\\"', '"'))
    if place is None:
        return ""
    tools, position = json.loads(body).get("tools") or [], int(next(filter(None, place.groups())))
    name = (tools[position].get("function") or {}).get("name") if position < len(tools) else None
    return f"tools[{position}] is the tool {own_names().get(name, name)!r}." if name else ""


def _general(error: KimiError) -> str:
    for pattern, advice in BY_MESSAGE.items():
        if re.search(pattern, error.reason, re.IGNORECASE):
            return advice
    if error.status == PROXY_LOGIN_STATUS:
        return LOGIN_ADVICE
    # Servers without this path answer "Not Found" or "Cannot POST /chat/completions".
    if isinstance(error, KimiNotFoundError) and not NAMED_MODEL.search(error.reason):
        return NO_SUCH_PATH
    if isinstance(error, KimiRateLimitError) and not error.is_retryable:
        return DAILY_LIMIT
    if isinstance(error, KimiServerError) and not error.is_retryable:
        return PERMANENT_FAILURE
    return next((advice for kind, advice in BY_KIND.items() if isinstance(error, kind)), "")


def _excluded(error: KimiError) -> str:
    excluded_by = error.availability.get("excluded_by")
    constraint = error.availability.get("constraint")
    if isinstance(excluded_by, list) and excluded_by:
        return f"Providers were excluded by: {', '.join(map(str, excluded_by))}."
    if isinstance(constraint, dict) and constraint:
        return f"Constraint: {constraint.get('field')}: {constraint.get('detail')}."
    return ""


def _alternatives(error: KimiError) -> str:
    fallbacks = error.availability.get("fallback_models")
    if isinstance(fallbacks, list) and fallbacks:
        return f"OpenRouter suggests: {', '.join(map(str, fallbacks))}."
    return ""


def _wait(error: KimiError) -> str:
    if error.retry_after is None or not error.is_retryable:
        return ""
    return f"Wait {error.retry_after:g} s before the next attempt."
