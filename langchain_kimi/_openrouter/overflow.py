"""Recognize error messages about a prompt that is too long for the context of the model.

Most providers send no error type for it, and each has its own wording. Nearly all of them mention three things in one
sentence: the input, its length, and that it exceeds something. Others name a limit and a larger amount, or that a
length is exceeded, and nothing else. `overflow_words` has the wordings.
"""

from langchain_kimi._openrouter import overflow_words as words
from langchain_kimi._patterns import lazy_pattern

_SENTENCE_END = lazy_pattern(r"[.!?]\s+(?=[A-Z\"'`])|\n")
_WORD_JOINT = lazy_pattern(r"_|(?<=[a-z])(?=[A-Z])")
_SMALLEST_LIMIT = 1000
"""The number of tokens of the smallest context. Smaller numbers count something else."""
MAX_CHARACTERS = 4000
"""The maximum number of characters that are searched. The rest of a long text may be a copy of the request."""


def reports_overflow(text: str) -> bool:
    """Return whether an error message reports that the messages, alone or with `max_tokens`, exceed the context."""
    # Names of fields and codes are words, too: max_model_len, InputTooLong.
    text = words.OF_VALIDATORS.sub("", _WORD_JOINT.sub(" ", text[:MAX_CHARACTERS]))
    if words.KNOWN.search(text):
        return True
    if words.LIMITED_RATE.search(text):
        return False
    if words.CHINESE.search(words.CHINESE_OTHERS.sub("", text)) or any(map(_names_amounts, text.split("\n"))):
        return True
    return any(map(_is_overflow, _SENTENCE_END.split(text)))


def _is_overflow(sentence: str) -> bool:
    if words.FOREIGN_INPUT.search(sentence) and words.FOREIGN_EXCESS.search(sentence):
        return True
    if words.TOO_LONG.search(sentence) and words.ONLY_LENGTH.fullmatch(words.TRY_AGAIN.sub("", sentence).strip()):
        return True
    mentions_all = all(pattern.search(sentence) for pattern in (words.INPUT, words.LENGTH, words.EXCESS))
    return mentions_all and _is_about_the_prompt(sentence)


def _names_amounts(line: str) -> bool:
    """Return whether a message names an amount of the input and a limit, in one sentence or in two."""
    if not all(pattern.search(line) for pattern in (words.INPUT, words.LENGTH, words.LIMIT)):
        return False
    amounts = {int(digits.replace(",", "")) * (_SMALLEST_LIMIT if k else 1) for digits, k in words.AMOUNT.findall(line)}
    return sum(amount >= _SMALLEST_LIMIT for amount in amounts) > 1 and _is_about_the_prompt(line)


def _is_about_the_prompt(text: str) -> bool:
    if words.NOT_THE_PROMPT.search(text):
        return False
    if words.OTHER_SUBJECT.search(text) and not words.TEXT_LENGTH.search(text):
        return False
    return not words.OUTPUT_LIMIT.search(text) or words.PROMPT.search(words.OUTPUT_LIMIT.sub("", text)) is not None
