"""What billed prompts teach about the hosts that billed them: in which form they write prompts, and what they add."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from langchain_kimi.kimi.families import KimiFamily
from langchain_kimi.kimi.prompt_forms import PromptForm, default_form, form_of_host, possible_forms

_REMEMBERED = 32
_LEAST_RATIO, _MOST_RATIO = 0.5, 2.0
_BELIEVABLE = (0.2, 5.0)
_BETTER = 0.03
"""By how much nearer another form than the known one must be, in shares of what was billed."""
_DOUBT = 200
"""Tokens that are taken to have been billed as estimated, so that a few short prompts do not weigh much."""


@dataclass(frozen=True, slots=True)
class Billed:
    """What was billed for an earlier turn of a conversation.

    Attributes:
        messages: How many messages, from the first, the prompt of that turn had.
        prompt_tokens: What the answer's usage says.
    """

    messages: int
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """A prompt whose real number of tokens is told, or will be.

    Attributes:
        frame: Tells prompts apart to which hosts add differently, by their tools and whether a system message comes
            first.
        estimates: What it has by estimate, in each form that hosts may use.
        media_tokens: How many of them stand for images and the like, whose real number may be several times as large.
    """

    frame: int
    estimates: Mapping[PromptForm, int]
    media_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Learned:
    """A lesson with its answer.

    Attributes:
        lesson: The prompt.
        prompt_tokens: What was billed for it.
        host: The slug of the host that served the call; None if nobody said.
    """

    lesson: Lesson
    prompt_tokens: int
    host: str | None = None

    def misfit(self, form: PromptForm) -> float:
        """How far off the estimate in a form is, as a share of what was billed."""
        return abs(self.lesson.estimates[form] - self.prompt_tokens) / self.prompt_tokens


class HostLessons:
    """What is known of one host.

    Args:
        host: Its slug; None where nothing tells.
        known: The form in which it is known to write prompts, or that of the template.
        learned: What was learned of it, the newest first.
    """

    def __init__(self, host: str | None, known: PromptForm, learned: Sequence[Learned]) -> None:
        self.host = host
        self._known = known
        self._learned = learned

    @cached_property
    def form(self) -> PromptForm:
        """The form that fits best what was learned: the known one, unless another is clearly better."""
        if not self._learned:
            return self._known
        misfits = {form: self._misfit(form) for form in self._learned[0].lesson.estimates}
        best = min(misfits, key=misfits.__getitem__)
        return best if misfits[best] + _BETTER < misfits.get(self._known, math.inf) else self._known

    @cached_property
    def ratio(self) -> float:
        """What was billed for all prompts to what was estimated; 1 if there are none, never below 0.5 or above 2."""
        estimated = _DOUBT + sum(one.lesson.estimates[self.form] for one in self._learned)
        billed = _DOUBT + sum(one.prompt_tokens for one in self._learned)
        return min(max(billed / estimated, _LEAST_RATIO), _MOST_RATIO)

    def adjusted(self, tokens: int, frame: int) -> float:
        """Set an estimate in the host's form right.

        What a host does otherwise than its form, it does to the tools and before the first message. So what the newest
        prompt of the same frame had more or less, this one has too, however much longer it is; of a shorter one, its
        share. Prompts of a new frame are set right by the ratio.
        """
        for one in self._learned:
            if one.lesson.frame == frame:
                estimated = one.lesson.estimates[self.form]
                more = (one.prompt_tokens - estimated) * min(1.0, tokens / estimated)
                if one.lesson.media_tokens:
                    # Only the conversation itself teaches so, and what its images have is no longer a guess.
                    return tokens + more
                return min(max(tokens + more, tokens * _LEAST_RATIO), tokens * _MOST_RATIO)
        return tokens * self.ratio

    def _misfit(self, form: PromptForm) -> float:
        return sum(one.misfit(form) for one in self._learned)


class Lessons:
    """What is learned of all hosts of one model.

    Args:
        family: The model's; its template is taken for hosts of which nothing is known.
        form: The form of all hosts; None finds it out.
    """

    def __init__(self, family: KimiFamily | None, form: PromptForm | None = None) -> None:
        self._family = family
        self._form = form
        self.forms = possible_forms(family) if form is None else (form,)
        # Appending and copying are atomic, so that threads may share this without a lock.
        self._learned: deque[Learned] = deque(maxlen=_REMEMBERED)

    def learn(self, learned: Learned) -> None:
        """Take in what was billed; what lies far from every estimate is not believed, something else was counted.

        A prompt with an image tells nothing of others: how large it was is not known.
        """
        if learned.lesson.media_tokens:
            return
        least, most = _BELIEVABLE
        if all(tokens > 0 for tokens in learned.lesson.estimates.values()) and any(
            least <= learned.prompt_tokens / tokens <= most for tokens in learned.lesson.estimates.values()
        ):
            self._learned.append(learned)

    def of(self, host: str | None, newest: Learned | None = None) -> HostLessons:
        """Give what is known of a host.

        Args:
            host: Its slug; None is the host that was learned of last.
            newest: What was learned of it elsewhere, and is newer than all else.
        """
        learned = list(self._learned.copy())[::-1]
        if host is None and learned:
            host = learned[0].host
        known = self._form or form_of_host(self._family, host) or default_form(self._family)
        of_host = [one for one in learned if one.host == host]
        # What a conversation tells of its own turns goes before what others tell.
        return HostLessons(host, known, [newest] if newest else of_host)
