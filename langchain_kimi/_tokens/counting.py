"""How many tokens a conversation has for Kimi: counted if its vocabulary is here, estimated if not; always offline."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from langchain_kimi._kimi.families import family
from langchain_kimi._openrouter.wire import JSONObject, WireMessage
from langchain_kimi._tokens.chat_template import render
from langchain_kimi._tokens.estimate import estimate_tokens
from langchain_kimi._tokens.hosts import PromptForm, default_form, form_of_host, possible_forms
from langchain_kimi._tokens.prompt import Segment
from langchain_kimi._tokens.vocabulary import SHA256, find_vocabulary

# Prompts whose form is known are estimated within 11% of what was billed. What lies further off was billed for another
# prompt, as where the conversation has been trimmed since.
_SAME_PROMPT = 0.12
_FEW_TOKENS = 4
# An image is reckoned with 1,400 tokens and may have 4,096.
_MORE_MEDIA = 2
_BETTER = 0.03
"""By how much another form must be nearer than the form of the host's table, as a share of the billed tokens."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The usage of an earlier turn of a conversation.

    Attributes:
        messages: How many messages, from the first, the prompt of that turn had.
        prompt_tokens: Its prompt tokens, by the answer's usage.
    """

    messages: int
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class _Base:
    """An earlier turn of the same conversation, from which a count goes on.

    Attributes:
        form: The form in which the host wrote it, by its billed tokens.
        estimated: Its tokens in that form.
        billed: Its billed tokens.
    """

    form: PromptForm
    estimated: int
    billed: int

    def adjusted(self, tokens: int) -> int:
        """Return the tokens of a later turn, with the difference between billed and estimated tokens added.

        A host adds to the tools and before the first message, so the difference does not grow with the conversation.
        A later turn can have fewer tokens, where its template leaves out the reasoning of earlier turns; then its share
        of the difference is added.
        """
        return math.ceil(tokens + (self.billed - self.estimated) * min(1.0, tokens / self.estimated))


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a prompt has.

    Attributes:
        tokens: The number to reckon with.
        exact: Whether Kimi's own vocabulary counted all of it. The host may still write the prompt in another form.
        media_tokens: How many of them stand for images, films, recordings and files, which are always an estimate.
        unadjusted: The number before the difference to the billed tokens of an earlier turn was added.
        host: The slug of the host for which it was counted, since hosts write prompts in different forms; None where
            nothing tells who will serve the call, and the form of the model's template was taken.
    """

    tokens: int
    exact: bool
    media_tokens: int = 0
    unadjusted: int = 0
    host: str | None = None


class TokenCounter:
    """Counts tokens for one model.

    Args:
        model_slug: The model; its family decides on the chat template. Of a model that is no Kimi everything is an
            estimate, because its vocabulary is another.
        tokenizer_file: Where Kimi's vocabulary is; None looks where it is usually put, see `find_vocabulary`.
        form: How every host writes the prompt; None is what is known of the host, or else what the family's template
            does.
        sha256: The checksum that the vocabulary must have.

    Raises:
        KimiUsageError: there is no vocabulary at `tokenizer_file`, or one with another checksum.
    """

    def __init__(
        self,
        model_slug: str,
        tokenizer_file: str | None = None,
        form: PromptForm | None = None,
        *,
        sha256: str = SHA256,
    ) -> None:
        self._family = family(model_slug)
        found = find_vocabulary(tokenizer_file, sha256=sha256)
        self._vocabulary = found if self._family is not None else None
        self._form = form

    def count_messages(
        self,
        messages: Sequence[WireMessage],
        tools: Sequence[JSONObject] | None = None,
        measure: Callable[[str], float] | None = None,
        *,
        host: str | None = None,
        billed: Billed | None = None,
    ) -> TokenCount:
        """Count a prompt: the conversation, the tools, and what the chat template puts around them.

        Args:
            messages: The conversation as it is sent.
            tools: The tools on offer, as they are sent.
            measure: Counts a text in the place of this counter's own means; what it says is taken as an estimate.
            host: The slug of the host that will serve the call; None if it is not known.
            billed: What that host billed for an earlier turn, as far as the conversation tells. If that is what the
                turn has in one of the forms that hosts use, or near it, the count goes on from there.
        """
        # An earlier turn has the same texts, and they are the same in most forms.
        cost = cache(measure or self._cost)
        form = self._form or form_of_host(self._family, host) or default_form(self._family)
        base = self._base(billed, messages, tools, cost, form) if billed else None
        segments = render(self._family, messages, tools, base.form if base else form)
        media = _media_tokens(segments)
        raw = _total(segments, cost)
        if measure is not None or self._vocabulary is not None:
            tokens, is_exact = raw, measure is None and not media
        else:
            tokens, is_exact = base.adjusted(raw) if base else raw, False
        return TokenCount(tokens, is_exact, media_tokens=media, unadjusted=raw, host=host)

    def count_text(self, text: str) -> int:
        """Count a text by itself, without any template."""
        return math.ceil(self._cost(text))

    def token_ids(self, text: str) -> list[int]:
        """Give the ids of a text's tokens; without the vocabulary a list of that length, 0, 1, 2 and so on.

        Such stand-ins say how many tokens there are and nothing else.
        """
        if self._vocabulary is not None:
            return self._vocabulary.encode(text)
        return list(range(self.count_text(text)))

    def _base(
        self,
        billed: Billed,
        messages: Sequence[WireMessage],
        tools: Sequence[JSONObject] | None,
        cost: Callable[[str], float],
        expected: PromptForm,
    ) -> _Base | None:
        """Return the earlier turn that was billed; None if other messages than these were billed.

        Its form is the expected one, unless another is clearly nearer to the billed tokens.
        """
        turn = messages[: billed.messages]
        forms = possible_forms(self._family) if self._form is None else (self._form,)
        rendered = cache(lambda form: render(self._family, turn, tools, form))

        def estimate(form: PromptForm) -> int:
            # A long conversation is written only in forms that make a difference to it.
            system = form.default_system and not _has_system(turn)
            return _total(
                rendered(replace(form, tools=form.tools if tools else forms[0].tools, default_system=system)), cost
            )

        estimates = {form: estimate(form) for form in forms}
        misfits = {
            form: abs(tokens - billed.prompt_tokens) / billed.prompt_tokens for form, tokens in estimates.items()
        }
        best = min(misfits, key=misfits.__getitem__)
        uncertain = _FEW_TOKENS + _MORE_MEDIA * _media_tokens(rendered(forms[0]))
        if misfits[best] > max(_SAME_PROMPT, uncertain / billed.prompt_tokens):
            return None
        form = best if misfits[best] + _BETTER < misfits.get(expected, math.inf) else expected
        return _Base(form, estimates[form], billed.prompt_tokens)

    def _cost(self, text: str) -> float:
        return estimate_tokens(text) if self._vocabulary is None else self._vocabulary.count(text)


def _media_tokens(segments: Iterable[Segment]) -> int:
    return sum(segment.tokens or 0 for segment in segments if not segment.is_known)


def _total(segments: Iterable[Segment], cost: Callable[[str], float]) -> int:
    known, estimated = 0, 0.0
    for segment in segments:
        if segment.tokens is None:
            estimated += cost(segment.text)
        else:
            known += segment.tokens
    return known + math.ceil(estimated)


def _has_system(messages: Sequence[WireMessage]) -> bool:
    return bool(messages) and messages[0].get("role") == "system"


@lru_cache(maxsize=64)
def shared_counter(model_slug: str, tokenizer_file: str | None) -> TokenCounter:
    """Return the counter of a model, the same each time, so that the vocabulary is looked for once."""
    return TokenCounter(model_slug, tokenizer_file)
