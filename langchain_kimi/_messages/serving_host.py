"""Which host will serve a call, as far as it can be known beforehand, and what it billed for earlier turns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from langchain_core.messages import AIMessage, BaseMessage

from langchain_kimi.kimi.families import base_slug, family
from langchain_kimi.openrouter.provider_slugs import provider_slug
from langchain_kimi.openrouter.wire import WireMessage

if TYPE_CHECKING:
    from langchain_kimi.kimi.counting import Billed

_ROUTER = "openrouter"
# Where a host's slug is not its domain.
_SLUGS = {"moonshot": "moonshotai"}


def serving_host(preferences: Mapping[str, Any], base_url: str, messages: Sequence[BaseMessage]) -> str | None:
    """Give the slug of the host that will serve a call, or most likely will; None if nothing tells.

    Args:
        preferences: The call's provider preferences, in the wire's form: the first in `order`, or the only one in
            `only`.
        base_url: Where calls go. If nothing else tells, it is a host's own endpoint, and no way to others.
        messages: The conversation: who served its last turn has it in the cache, and mostly serves the next one.
    """
    allowed, order = _slugs(preferences.get("only")), _slugs(preferences.get("order"))
    if first := next((slug for slug in order if not allowed or slug in allowed), None):
        return first
    if len(allowed) == 1:
        return allowed[0]
    last = next((slug for slug in map(host_of, _answers(messages)) if slug), None)
    ignored = last in _slugs(preferences.get("ignore")) or (allowed and last not in allowed)
    return (None if ignored else last) or host_of_url(base_url)


def host_of_url(url: str) -> str | None:
    """Give the slug of the host whose own endpoint a URL is, by its domain; None for OpenRouter and for addresses."""
    labels = (urlsplit(url).hostname or "").split(".")
    if len(labels) == 1 or labels[-1].isdigit() or ":" in labels[0] or labels[-2] == _ROUTER:
        return None
    return _SLUGS.get(labels[-2], labels[-2])


def host_of(message: AIMessage) -> str | None:
    """Give the slug of the host that gave an answer; None if it does not tell."""
    name = message.response_metadata.get("provider")
    # An object was seen in its place.
    return provider_slug(name) if isinstance(name, str) and name.strip() else None


def billed_before(
    messages: Sequence[BaseMessage], sent: Sequence[WireMessage], slug: str, host: str | None
) -> "Billed | None":
    """Give what the conversation tells of the tokens of its last turn; None if it tells nothing of use.

    Args:
        messages: The conversation.
        sent: The same as it is sent, where a message may have been added.
        slug: The model that is asked. Answers of another one tell nothing.
        host: Who will serve the call. Answers of another host tell nothing.
    """
    from langchain_kimi.kimi.counting import Billed  # noqa: PLC0415 - a program that counts nothing needs none

    answers = list(_answers(messages))
    places = [place for place, message in enumerate(sent) if message.get("role") == "assistant"]
    if len(answers) != len(places):
        return None
    for answer, place in zip(answers, reversed(places), strict=True):
        # What others loaded or made up may lack any of its keys.
        usage = cast("Mapping[str, Any]", answer.usage_metadata or {})
        if (tokens := usage.get("input_tokens") or 0) > 0 and place:
            fits = host_of(answer) in {host, None} and _is_same_model(answer, slug)
            return Billed(place, tokens) if fits else None
    return None


def _slugs(given: Any) -> list[str]:
    """Give the slugs of hosts in a preference; what stands after a slash chooses among the machines of one host."""
    return [provider_slug(name).partition("/")[0] for name in given or () if isinstance(name, str)]


def _answers(messages: Sequence[BaseMessage]) -> Iterator[AIMessage]:
    """Give the answers in a conversation, the newest first."""
    return (message for message in reversed(messages) if isinstance(message, AIMessage))


def _is_same_model(answer: AIMessage, slug: str) -> bool:
    name = answer.response_metadata.get("model_name")
    if not isinstance(name, str):
        return False
    kimi = family(slug)
    return kimi == family(name) if kimi else base_slug(name) == base_slug(slug)
