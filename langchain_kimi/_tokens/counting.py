"""Count the tokens of a prompt with Kimi's vocabulary if it is on this machine; otherwise estimate them.

This module does not use the network.
"""

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

# If the form of a prompt is certain, the estimate is within 11 % of the billed tokens. A larger difference means that
# another prompt was billed, for example because the conversation has been trimmed since.
_SAME_PROMPT = 0.12
_FEW_TOKENS = 4
"""A difference of this number of tokens is allowed for short prompts, whose estimates have a larger relative error."""
# An image counts as 1,400 tokens and may have 4,096.
_MORE_MEDIA = 2
_BETTER = 0.03
"""The minimum advantage of another form over the host's: the difference of their distances from the billed tokens, as a
share of these."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The usage of an earlier turn of a conversation.

    Attributes:
        messages: The number of messages in the prompt of that turn, which are the first ones of the conversation.
        prompt_tokens: The prompt tokens in the usage of its answer.
    """

    messages: int
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class _Base:
    """An earlier turn of the same conversation, on which a count is based.

    Attributes:
        form: The form in which the host wrote the prompt of that turn, derived from its billed tokens.
        estimated: The estimated tokens of that turn in this form.
        billed: The billed tokens of that turn.
    """

    form: PromptForm
    estimated: int
    billed: int

    def adjusted(self, tokens: int) -> int:
        """Return the estimated tokens of a later turn plus the difference between billed and estimated tokens.

        Hosts add text to the tools and before the first message, so the difference does not grow with the conversation.
        A later turn can have fewer tokens, because the template omits the reasoning of earlier turns; then only its
        share of the difference is added.
        """
        return math.ceil(tokens + (self.billed - self.estimated) * min(1.0, tokens / self.estimated))


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The number of tokens of a prompt.

    Attributes:
        tokens: The number of tokens.
        exact: Whether all of them were counted with Kimi's vocabulary. The host may still use another prompt form.
        media_tokens: The tokens among them for images, videos, audio and files, which are always estimated.
        unadjusted: The number before the difference to the billed tokens of an earlier turn was added.
        host: The slug of the host whose prompt form was counted. None if the host that will serve the call is not
            certain; then the form of the model's template was counted.
    """

    tokens: int
    exact: bool
    media_tokens: int = 0
    unadjusted: int = 0
    host: str | None = None


class TokenCounter:
    """Counts tokens for one model.

    Args:
        model_slug: The model, whose family determines the chat template. Counts for a model that is not a Kimi are
            estimates, because its vocabulary differs.
        tokenizer_file: The path of Kimi's vocabulary; None: the default locations are searched, see `find_vocabulary`.
        form: The form in which every host writes the prompt; None: the form of the host, or of the family's template.
        sha256: The checksum that the vocabulary must have.

    Raises:
        KimiUsageError: There is no vocabulary at `tokenizer_file`, or its checksum differs.
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
        vocabulary = find_vocabulary(tokenizer_file, sha256=sha256)
        self._vocabulary = vocabulary if self._family is not None else None
        self._form = form

    def count_messages(  # noqa: PLR0913 - each keyword is independent of the others
        self,
        messages: Sequence[WireMessage],
        tools: Sequence[JSONObject] | None = None,
        measure: Callable[[str], float] | None = None,
        *,
        host: str | None = None,
        billed: Billed | None = None,
        is_part: bool = False,
    ) -> TokenCount:
        """Return the number of tokens of a prompt: the messages, the tools and the text of the chat template.

        Args:
            messages: The messages as they are sent.
            tools: The tools as they are sent.
            measure: A function that counts the tokens of a text and replaces this counter's own. Its result is treated
                as an estimate.
            host: The slug of the host that will serve the call; None if that is not certain.
            billed: The usage that this host reported for an earlier turn. It is the basis of the count if it is near
                the estimate of that turn in one of the forms that hosts use.
            is_part: Whether the messages are an arbitrary part of a conversation. Then a longer part never has fewer
                tokens: a system message counts at least as much as the default that it replaces, and the reasoning of
                turns with tool calls is counted, although the template omits it after a later answer.
        """
        # Cached, because an earlier turn has the same texts, and most forms share them.
        cost = cache(measure or self._cost)
        form = self._form or form_of_host(self._family, host) or default_form(self._family)
        base = self._base(billed, messages, tools, cost, form) if billed else None
        segments = render(self._family, messages, tools, base.form if base else form, is_part=is_part)
        media = _media_tokens(segments)
        raw = _total(segments, cost)
        if is_part and _has_system(messages):
            default = _total(render(self._family, (), None, form), cost)
            system = _total(render(self._family, messages[:1], None, form), cost)
            raw += max(0, default - system)
        if measure is not None or self._vocabulary is not None:
            tokens, is_exact = raw, measure is None and not media
        else:
            tokens, is_exact = base.adjusted(raw) if base else raw, False
        return TokenCount(tokens, is_exact, media_tokens=media, unadjusted=raw, host=host)

    def count_text(self, text: str) -> int:
        """Return the number of tokens of a text alone, without a template."""
        return round(self._cost(text))

    def token_ids(self, text: str) -> list[int]:
        """Return the ids of a text's tokens.

        Without the vocabulary, the result is `[0, 1, 2, ...]` with the estimated number of tokens as its length.
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
        """Return the earlier turn that was billed; None if the billed prompt had other messages than these.

        The form of the turn is the expected one, unless another form is clearly closer to the billed tokens.
        """
        turn = messages[: billed.messages]
        forms = possible_forms(self._family) if self._form is None else (self._form,)
        rendered = cache(lambda form: render(self._family, turn, tools, form))

        def estimate(form: PromptForm) -> int:
            # Forms that give the same text share one rendering.
            system = form.default_system and not _has_system(turn)
            return _total(
                rendered(replace(form, tools=form.tools if tools else forms[0].tools, default_system=system)), cost
            )

        estimates = {form: estimate(form) for form in forms}
        differences = {
            form: abs(tokens - billed.prompt_tokens) / billed.prompt_tokens for form, tokens in estimates.items()
        }
        best = min(differences, key=differences.__getitem__)
        uncertain = _FEW_TOKENS + _MORE_MEDIA * _media_tokens(rendered(forms[0]))
        if differences[best] > max(_SAME_PROMPT, uncertain / billed.prompt_tokens):
            return None
        form = best if differences[best] + _BETTER < differences.get(expected, math.inf) else expected
        return _Base(form, estimates[form], billed.prompt_tokens)

    def _cost(self, text: str) -> float:
        return estimate_tokens(text) if self._vocabulary is None else self._vocabulary.count(text)


def _media_tokens(segments: Iterable[Segment]) -> int:
    return sum(segment.tokens or 0 for segment in segments if not segment.is_certain)


def _total(segments: Iterable[Segment], cost: Callable[[str], float]) -> int:
    fixed, estimated = 0, 0.0
    for segment in segments:
        if segment.tokens is None:
            estimated += cost(segment.text)
        else:
            fixed += segment.tokens
    return fixed + round(estimated)


def _has_system(messages: Sequence[WireMessage]) -> bool:
    return bool(messages) and messages[0].get("role") == "system"


@lru_cache(maxsize=64)
def shared_counter(model_slug: str, tokenizer_file: str | None) -> TokenCounter:
    """Return the counter of a model; the same object for equal arguments, so that it searches the vocabulary once."""
    return TokenCounter(model_slug, tokenizer_file)
