"""How many tokens a conversation has for Kimi: counted if its vocabulary is here, estimated if not; always offline."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from langchain_kimi.kimi.chat_template import ToolsStyle, render
from langchain_kimi.kimi.estimate import estimate_tokens
from langchain_kimi.kimi.families import family
from langchain_kimi.kimi.prompt_segments import compact_json
from langchain_kimi.kimi.tokenizer import SHA256, find_vocabulary
from langchain_kimi.openrouter.wire import JSONObject, WireMessage

_REMEMBERED = 32
_LEAST_RATIO, _MOST_RATIO = 0.5, 2.0
_BELIEVABLE = (0.2, 5.0)


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a prompt has.

    Attributes:
        tokens: The number to reckon with.
        exact: Whether Kimi's own vocabulary counted all of it. The host may still add a system text of its own.
        media_tokens: How many of them stand for images, films, recordings and files, which are always an estimate.
        unadjusted: The number before it was set right by what `TokenCounter.learn` has seen.
        frame: Tells prompts apart to which hosts add differently, by their tools and whether a system message comes
            first.
    """

    tokens: int
    exact: bool
    media_tokens: int = 0
    unadjusted: int = 0
    frame: int = field(default=0, compare=False, repr=False)


class TokenCounter:
    """Counts tokens for one model.

    Args:
        model_slug: The model; its family decides on the chat template. Of a model that is no Kimi everything is an
            estimate, because its vocabulary is another.
        tokenizer_file: Where Kimi's vocabulary is; None looks where it is usually put, see `find_vocabulary`.
        tools_style: How the host shows tools to the model; None is what the family's template does.
        sha256: The checksum that the vocabulary must have.

    Raises:
        KimiRequestError: there is no vocabulary at `tokenizer_file`, or one with another checksum.
    """

    def __init__(
        self,
        model_slug: str,
        tokenizer_file: str | None = None,
        tools_style: ToolsStyle | None = None,
        *,
        sha256: str = SHA256,
    ) -> None:
        self._family = family(model_slug)
        self._tools_style = tools_style
        found = find_vocabulary(tokenizer_file, sha256=sha256)
        self._vocabulary = found if self._family is not None else None
        # Appending and copying are atomic, so that threads may share a counter without a lock.
        self._seen: deque[tuple[int, int, int | None]] = deque(maxlen=_REMEMBERED)

    def count_messages(
        self,
        messages: Sequence[WireMessage],
        tools: Sequence[JSONObject] | None = None,
        measure: Callable[[str], float] | None = None,
    ) -> TokenCount:
        """Count a prompt: the conversation, the tools, and what the chat template puts around them.

        Args:
            messages: The conversation as it is sent.
            tools: The tools on offer, as they are sent.
            measure: Counts a text in the place of this counter's own means; what it says is taken as an estimate.
        """
        segments = render(self._family, messages, tools, self._tools_style)
        media = sum(segment.tokens or 0 for segment in segments if not segment.is_known)
        known = sum(segment.tokens or 0 for segment in segments)
        texts = [segment.text for segment in segments if segment.tokens is None]
        raw = known + math.ceil(sum(map(measure or self._cost, texts)))
        if measure is None and self._vocabulary is not None:
            return TokenCount(raw, exact=not media, media_tokens=media, unadjusted=raw)
        frame = _frame(messages, tools)
        adjusted = math.ceil(self._adjusted(raw, frame))
        return TokenCount(adjusted, exact=False, media_tokens=media, unadjusted=raw, frame=frame)

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

    def learn(self, estimated: int, prompt_tokens: int, frame: int | None = None) -> None:
        """Learn from an answer how this host counts: later estimates of conversations are set right by it.

        What hosts do otherwise than the template, they do to the tools and before the first message. So what a prompt
        had more or less than was estimated, the next one with the same frame has too, however long it has grown. Other
        prompts are set right by the ratio of all that was seen.

        Args:
            estimated: What was estimated, `TokenCount.unadjusted`.
            prompt_tokens: What the answer's usage says. A pair that lies far apart is not believed: something else was
                counted, as when OpenRouter shortens a prompt.
            frame: The prompt's `TokenCount.frame`; None for one that tells nothing about others.
        """
        least, most = _BELIEVABLE
        if estimated > 0 and least <= prompt_tokens / estimated <= most:
            self._seen.append((estimated, prompt_tokens, frame))

    @property
    def ratio(self) -> float:
        """What estimates of prompts of a new frame are multiplied with: 1 at first, never below 0.5 or above 2."""
        seen = self._seen.copy()
        if not seen:
            return 1.0
        ratio = sum(tokens for _, tokens, _ in seen) / sum(estimated for estimated, _, _ in seen)
        return min(max(ratio, _LEAST_RATIO), _MOST_RATIO)

    def _adjusted(self, raw: int, frame: int) -> float:
        for estimated, tokens, seen in reversed(self._seen.copy()):
            if seen == frame:
                # A shorter prompt than the one that was seen has less of what was misjudged in its text.
                more = (tokens - estimated) * min(1.0, raw / estimated)
                return min(max(raw + more, raw * _LEAST_RATIO), raw * _MOST_RATIO)
        return raw * self.ratio

    def _cost(self, text: str) -> float:
        return estimate_tokens(text) if self._vocabulary is None else self._vocabulary.count(text)


def _frame(messages: Sequence[WireMessage], tools: Sequence[JSONObject] | None) -> int:
    has_system = bool(messages) and messages[0].get("role") == "system"
    return hash((compact_json(tools or ()), has_system))


@lru_cache(maxsize=64)
def shared_counter(model_slug: str, tokenizer_file: str | None) -> TokenCounter:
    """Give the counter of a model, the same each time, so that what it has learned serves every call."""
    return TokenCounter(model_slug, tokenizer_file)
