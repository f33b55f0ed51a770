"""What to do about a failure: the sentence that an error's text ends with."""

from langchain_kimi.errors import (
    KimiAuthenticationError,
    KimiContextOverflowError,
    KimiCreditError,
    KimiError,
    KimiInvalidRequestError,
    KimiModerationError,
    KimiNotFoundError,
    KimiPermissionError,
    KimiRateLimitError,
    KimiServerError,
)

BY_KIND: dict[type[KimiError], str] = {
    KimiContextOverflowError: "Shorten the messages or lower max_tokens, or choose a model with a larger context.",
    KimiAuthenticationError: "Check api_key or OPENROUTER_API_KEY: the key is missing, unknown or disabled.",
    KimiCreditError: "Add credits, raise the key's limit, or lower max_tokens.",
    KimiModerationError: "The input was flagged: see `metadata['reasons']` and `metadata['flagged_input']`.",
    KimiPermissionError: "The key or the account's guardrails do not allow this request.",
    KimiRateLimitError: "Wait and try again, allow other providers, or name fallbacks with models=[...].",
    KimiServerError: "Trying again may help; naming fallbacks with models=[...] or other providers does too.",
    KimiInvalidRequestError: "Change the request: what is wrong with it stands at the head of this text and in `raw`.",
    KimiNotFoundError: "Check the model's slug and the provider settings.",
}
"""The first kind that fits counts, so the special ones stand before the general ones."""


def advice_for(error: KimiError) -> str:
    """Say what to do about `error`, from its kind and from what the wire told about availability."""
    sentences = [_excluded(error), _alternatives(error), _wait(error)]
    told = " ".join(sentence for sentence in sentences if sentence)
    general = next((advice for kind, advice in BY_KIND.items() if isinstance(error, kind)), "")
    if isinstance(error, KimiRateLimitError) and not error.is_retryable:
        general = "This cap does not lift by trying again soon: wait until it resets, or use a paid model."
    return f"{general} {told}".strip()


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
    return "" if error.retry_after is None else f"Wait {error.retry_after:g} s before the next attempt."
