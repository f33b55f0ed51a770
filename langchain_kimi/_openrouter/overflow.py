"""Recognize error messages about a prompt that is too long for the context of the model.

Most providers send no error type for it, and each has its own wording. Nearly all of them mention three things in one
sentence: the input, its length, and that it exceeds something.
"""

import re

_INPUT = re.compile(
    r"context|prompt|input|messages?\b|conversation|history|sequence|seq_?len|session_len|token", re.IGNORECASE
)
_LENGTH = re.compile(
    r"token|context|length|window|size|seq_?len|session_len|(?:prompt|input)_?len|n_ctx|characters"
    r"|too ?(?:long|large|big)",
    re.IGNORECASE,
)
_EXCESS = re.compile(
    r"exceed|too ?(?:long|large|big|many|much)|(?:long|great|larg|bigg|high)er than|more (?:\w{1,20} ){0,3}than|surpass"
    r"|overflow|oversize|beyond|(?:over|above|past) the|out of context|ran out of|no (?:more )?room|shorten|truncate"
    r"|(?:must|should|has to|have to|needs? to|can ?not|can't|may not|only) .{0,40}"
    r"(?:less|fewer|smaller|shorter|lower|at most|up to|maximum|greater|larger|longer|more|fit|<|≤)"
    r"|length should be \[|(?:does not|doesn't|do not|don't|not|won't) (?:\w{1,20} ){0,2}fit"
    r"|only supports?|supports? (?:only|at most|up to)"
    r"|reduce|\d >=? \w|context (?:window |limit |length )?(?:was |has been |is )?(?:reached|used up|full)"
    r"|too small for|not enough"
    # A limit and a larger amount, without a word for the excess.
    r"|\d.{0,80}\b"
    r"(?:but|however|got|given|received|sent|requested|provided|have|has|allows|accepts|need\w*|maximum|limit)\b.{0,80}?\d",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    # OpenRouter, OpenAI and Groq; xAI; Text Generation Inference; Z.ai; LM Studio
    r"context_length_exceeded|string_above_max_length|context_window_exceeded|maximum context length is"
    r"|maximum (?:prompt|input) length is|inputs`? tokens \+ `?max_new_tokens|reduce the length of (?:the mess|either)"
    # vLLM subtracts the prompt from the context for the default of max_tokens.
    r"|max_tokens must be at least 1, got -",
    re.IGNORECASE,
)
_CHINESE = re.compile(
    r"(?:输入|提示词?|上下文|消息|prompt|tokens?).{0,30}(?:超出|超过|超长|超限|过长)|(?:超出|超过).{0,20}(?:上下文|长度)",
    re.IGNORECASE,
)
_LIMITED_RATE = re.compile(
    r"\bper[- ](?:second|sec|minute|min|hour|day|month|request limit)|/min|\bt[pd]m\b|\brpm\b|quota|rate[- _]?limit"
    r"|credit|balance|budget|took|timed? ?out|time limit|deadline|seconds|concurren|too many requests"
    r"|please wait|throttl|每(?:秒|分|小时|天|日|月)|额度|余额|配额|频率|速率",
    re.IGNORECASE,
)
"""Words about limits of time and money. A shorter prompt does not help with these."""
_OTHER_SUBJECT = re.compile(
    r"(?<![a-z])(?:image|file|audio|video|pdf|attachment|url|tools?|function|name|description|stop|schema|metadata|header|id"
    r"|user|logprobs|embedding|batch|body|key)s?\b|tool_call|temperature|top_[kp]",
    re.IGNORECASE,
)
_TEXT_LENGTH = re.compile(r"token|context|max message|sequence length|input_ids", re.IGNORECASE)
_NOT_THE_PROMPT = re.compile(
    r"(?:access|auth\w*|session|bearer|api|refresh|csrf|security|invalid|jwt) tokens?\b|\bapi key\b|queue"
    r"|logit_bias|\bcaching\b|cached content|(?:maximum value|valid range|range) (?:for|of) `?max_",
    re.IGNORECASE,
)
"""Words about credentials, tokens of other fields, the minimum prompt of a cache, and the range of `max_tokens`."""
_OUTPUT_LIMIT = re.compile(
    r"max_(?:completion_|new_|output_)?tokens|output (?:token )?limit|max(?:imum)? (?:\w+ )?tokens you"
    r"|(?:output|completion|new|generated) tokens|\b(?:answer|reply|response|completion)\b",
    re.IGNORECASE,
)
_PROMPT = re.compile(r"context|prompt|input|messages?\b|conversation|sequence|seq_?len", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?]\s+(?=[A-Z\"'`])|\n")
MAX_CHARACTERS = 4000
"""The maximum number of characters that are searched. The rest of a long text may be a copy of the request."""


def reports_overflow(text: str) -> bool:
    """Return whether an error message reports that the messages, alone or with `max_tokens`, exceed the context."""
    text = text[:MAX_CHARACTERS]
    if _LIMITED_RATE.search(text) and not _KNOWN.search(text):
        return False
    return any(pattern.search(text) for pattern in (_KNOWN, _CHINESE)) or any(
        map(_is_overflow, _SENTENCE_END.split(text))
    )


def _is_overflow(sentence: str) -> bool:
    if not all(pattern.search(sentence) for pattern in (_INPUT, _LENGTH, _EXCESS)):
        return False
    if _NOT_THE_PROMPT.search(sentence):
        return False
    if _OTHER_SUBJECT.search(sentence) and not _TEXT_LENGTH.search(sentence):
        return False
    return not _OUTPUT_LIMIT.search(sentence) or _PROMPT.search(_OUTPUT_LIMIT.sub("", sentence)) is not None
