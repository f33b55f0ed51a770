"""What to do about a failure: the sentence that an error's text ends with."""

import re

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
    KimiStatusError,
)

OTHER_MODELS = "other Kimis are moonshotai/kimi-k2.6 and moonshotai/kimi-k2.7-code, and models=[...] names fallbacks"
BY_WORDS = {
    # UKGovernmentBEIS/inspect_ai#5152: a named tool and "required" alike
    r"tool_choice.*incompatible with thinking": (
        "A Kimi that thinks cannot be forced to call a tool: leave tool_choice at 'auto', or switch thinking off with "
        "reasoning={'enabled': False} where the model allows it; with_structured_output has method='json_schema'."
    ),
    # MoonshotAI/Kimi-K2#124, anomalyco/opencode#39214: whatever else is sent, even 0.6
    r"invalid temperature|temperature.*only [\d.]+ is allowed": (
        "This model has one temperature of its own: leave temperature out."
    ),
    # vercel/ai#18921, tailcallhq/forgecode#3123
    r"moonshot flavored json schema": (
        "Moonshot takes a dialect: in the schema that the message names put the type into each branch of an anyOf "
        "instead of beside it, nothing beside $ref, and no null into an enum; or let another host serve it with "
        "provider={'ignore': ['moonshotai']}."
    ),
    # anomalyco/opencode#29690, langchain-ai/langchain#36457
    r"reasoning_content is missing": (
        "Send each assistant message back as it came, with the reasoning in its additional_kwargs, or switch thinking "
        "off with reasoning={'enabled': False} where the model allows it."
    ),
    # anomalyco/opencode#6056, Toloka/tolokaforge#1284
    r"role 'assistant' must not be empty": (
        "Take the assistant message without text and without tool calls out of the history."
    ),
    # HKUDS/nanobot#3939, NousResearch/hermes-agent#34208
    r"cannot specify both.*(thinking|reasoning)": "Say how to think in one way only: with reasoning={...}.",
    # continuedev/continue#6619, CultivateLabs/raif#462
    r"no endpoints found that (support|can handle)|no allowed providers|guardrail restrictions and data policy": (
        "No host of this model is left after the request's filters: loosen provider={...} (only, ignore, "
        f"require_parameters, data_collection) or leave out what it names; {OTHER_MODELS}."
    ),
}
"""What hosts were seen to say, as regular expressions, and the knob to turn; it replaces the advice for the kind."""

BY_KIND: dict[type[KimiError], str] = {
    KimiContextOverflowError: "Shorten the messages or lower max_tokens, or choose a model with a larger context.",
    KimiAuthenticationError: "Check api_key or OPENROUTER_API_KEY: the key is missing, unknown or disabled.",
    KimiPaymentRequiredError: "Add credits, raise the key's limit, or lower max_tokens.",
    KimiModerationError: "The input was flagged: see `metadata['reasons']` and `metadata['flagged_input']`.",
    KimiPermissionError: "The key or the account's guardrails do not allow this request.",
    KimiRateLimitError: "Wait and try again, allow other providers, or name fallbacks with models=[...].",
    KimiServerError: "Trying again may help; naming fallbacks with models=[...] or other providers does too.",
    KimiInvalidRequestError: "Change the request: what is wrong with it stands at the head of this text and in `raw`.",
    KimiNotFoundError: f"Check the model's slug: it may be misspelt or retired; {OTHER_MODELS}.",
    KimiStatusError: "OpenRouter does not document this status: check base_url, the proxy and the request.",
}
"""The first kind that fits counts, so the special ones stand before the general ones."""

LASTING = (
    "Asking again changes nothing: check base_url, the proxy and the request, or name fallbacks with models=[...]."
)
NO_SOON = "This cap does not lift by trying again soon: wait until it resets, or use a paid model."


def advice_for(error: KimiError) -> str:
    """Say what to do about `error`, from its words, its kind, and what the wire told about availability."""
    sentences = (_general(error), _excluded(error), _alternatives(error), _wait(error))
    return " ".join(sentence for sentence in sentences if sentence)


def _general(error: KimiError) -> str:
    for words, advice in BY_WORDS.items():
        if re.search(words, error.reason, re.IGNORECASE):
            return advice
    if isinstance(error, KimiRateLimitError) and not error.is_retryable:
        return NO_SOON
    if isinstance(error, KimiServerError) and not error.is_retryable:
        return LASTING
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
