"""How many tokens a conversation has for Kimi: counted if its vocabulary is here, estimated if not; always offline."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from langchain_kimi.kimi.chat_template import render
from langchain_kimi.kimi.estimate import estimate_tokens
from langchain_kimi.kimi.families import family
from langchain_kimi.kimi.host_lessons import Billed, Learned, Lesson, Lessons
from langchain_kimi.kimi.prompt_forms import PromptForm
from langchain_kimi.kimi.prompt_segments import Segment, compact_json
from langchain_kimi.kimi.tokenizer import SHA256, find_vocabulary
from langchain_kimi.openrouter.wire import JSONObject, WireMessage

# Prompts whose form is known are estimated within 11% of what was billed. What lies further off was billed for another
# prompt, as where the conversation has been trimmed since.
_SAME_PROMPT = 0.12
_FEW_TOKENS = 4
# An image is reckoned with 1,400 tokens and may have 4,096.
_MORE_MEDIA = 2


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a prompt has.

    Attributes:
        tokens: The number to reckon with.
        exact: Whether Kimi's own vocabulary counted all of it. The host may still write the prompt in another form.
        media_tokens: How many of them stand for images, films, recordings and files, which are always an estimate.
        unadjusted: The number before it was set right by what was billed for other prompts.
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
        KimiRequestError: there is no vocabulary at `tokenizer_file`, or one with another checksum.
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
        self._lessons = Lessons(self._family, form)

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
            host: The slug of the host that will serve the call, as far as it is known; None is the one that was
                learned of last.
            billed: What that host billed for an earlier turn, as far as the conversation tells. If that is what the
                turn has in one of the forms that hosts use, or near it, the count goes on from there.
        """
        # An earlier turn has the same texts, and they are the same in most forms.
        cost = cache(measure or self._cost)
        known = self._lessons.of(host, self._told_by(billed, messages, tools, cost) if billed else None)
        segments = render(self._family, messages, tools, known.form)
        media = _media_tokens(segments)
        raw = _total(segments, cost)
        if measure is not None or self._vocabulary is not None:
            tokens, is_exact = raw, measure is None and not media
        else:
            tokens, is_exact = math.ceil(known.adjusted(raw, _frame(messages, tools))), False
        return TokenCount(tokens, is_exact, media_tokens=media, unadjusted=raw, host=known.host)

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

    def lesson(self, messages: Sequence[WireMessage], tools: Sequence[JSONObject] | None = None) -> Lesson:
        """Prepare to learn from the answer to a prompt."""
        return self._lesson(messages, tools, cache(self._cost))

    def learn(self, lesson: Lesson, prompt_tokens: int, host: str | None = None) -> None:
        """Learn from an answer how its host writes prompts, so that later counts for that host are better.

        Args:
            lesson: The prompt.
            prompt_tokens: What the answer's usage says.
            host: The slug of the host that served the call; None if nobody said.
        """
        self._lessons.learn(Learned(lesson, prompt_tokens, host))

    @property
    def ratio(self) -> float:
        """What estimates of prompts with other tools are multiplied with, at the host that was learned of last."""
        return self._lessons.of(None).ratio

    def _lesson(
        self, messages: Sequence[WireMessage], tools: Sequence[JSONObject] | None, cost: Callable[[str], float]
    ) -> Lesson:
        first = self._lessons.forms[0]
        rendered = cache(lambda form: render(self._family, messages, tools, form))

        def estimate(form: PromptForm) -> int:
            # A long conversation is written only in forms that make a difference to it.
            system = form.default_system and not _has_system(messages)
            alike = replace(form, tools=form.tools if tools else first.tools, default_system=system)
            return _total(rendered(alike), cost)

        estimates = {form: estimate(form) for form in self._lessons.forms}
        return Lesson(_frame(messages, tools), estimates, _media_tokens(rendered(first)))

    def _told_by(
        self,
        billed: Billed,
        messages: Sequence[WireMessage],
        tools: Sequence[JSONObject] | None,
        cost: Callable[[str], float],
    ) -> Learned | None:
        """Give what an earlier turn teaches; None if it was another prompt."""
        told = Learned(self._lesson(messages[: billed.messages], tools, cost), billed.prompt_tokens)
        uncertain = _FEW_TOKENS + _MORE_MEDIA * told.lesson.media_tokens
        allowed = max(_SAME_PROMPT, uncertain / billed.prompt_tokens)
        return told if min(map(told.misfit, told.lesson.estimates)) <= allowed else None

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


def _frame(messages: Sequence[WireMessage], tools: Sequence[JSONObject] | None) -> int:
    return hash((compact_json(tools or ()), _has_system(messages)))


@lru_cache(maxsize=64)
def shared_counter(model_slug: str, tokenizer_file: str | None) -> TokenCounter:
    """Give the counter of a model, the same each time, so that what it has learned serves every call."""
    return TokenCounter(model_slug, tokenizer_file)
