"""Extracts facts from a prompt by regular expressions: numbers, quoted words, places, dates."""

import re
from dataclasses import dataclass

from langchain_kimi._openrouter.wire import JSONObject

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])(?!\.\d)")
_QUOTED = re.compile(r"'([^'\n]+)'(?!\w)|\"([^\"\n]+)\"|`([^`\n]+)`|“([^“”\n]+)”|「([^「」\n]+)」")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
# It starts only where a word starts: the time would grow with the square of the length of base64 and of long numbers.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]*\w")
_URL = re.compile(r"https?://[^\s'\"<>)]*[^\s'\"<>).,?!]")

# A place is a run of capitalized words, with an optional comma and the two letters of a state.
_PLACE = r"[A-ZÀ-Þ][\w'-]*(?: [A-ZÀ-Þ][\w'-]*)*(?:, ?[A-Z]{2}\b)?"
_AND = r"(?:,? (?:and|or) |, ?|,? ?& ?)"
_PLACES = re.compile(rf"\b(?:in|for|at|near|of|between|to|from|about) ({_PLACE}(?:{_AND}(?:in |for )?{_PLACE})*)")
_LISTED = re.compile(r" (?:and|or) |&")

_KEYS = re.compile(
    r"\b(?:keys|fields|properties)\b:?\s*((?:[\w-]+)(?:(?:,\s*(?:and\s+)?|\s+and\s+)[\w-]+)*)", re.IGNORECASE
)
_IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts in a prompt, each kind in order of appearance."""

    text: str
    numbers: tuple[float, ...]
    quoted: tuple[str, ...]
    places: tuple[str, ...]
    dates: tuple[str, ...]
    emails: tuple[str, ...]
    urls: tuple[str, ...]


def read(text: str) -> Facts:
    """Return the facts in a prompt."""
    plain = _DATE.sub(" ", _URL.sub(" ", text))
    return Facts(
        text=text,
        numbers=tuple(float(number) for number in _NUMBER.findall(plain)),
        quoted=tuple(next(filter(None, match)) for match in _QUOTED.findall(text)),
        places=_places(text),
        dates=tuple(_DATE.findall(text)),
        emails=tuple(_EMAIL.findall(text)),
        urls=tuple(_URL.findall(text)),
    )


def keys(text: str) -> list[str]:
    """Return the keys that a prompt demands in a JSON object: its quoted names, else those listed after "keys"."""
    quoted = [word for word in read(text).quoted if _IDENTIFIER.fullmatch(word)]
    if quoted:
        return quoted
    return [word for listed in _KEYS.findall(text) for word in _IDENTIFIER.findall(listed) if word != "and"]


def text_of(message: JSONObject) -> str:
    """Return the text of a message, whose content is a string or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content if part.get("type") == "text")


def last_user_text(messages: list[JSONObject]) -> str:
    """Return the text of the last user message, or of the last message if there is no user message."""
    users = [message for message in messages if message["role"] == "user"]
    return text_of((users or messages)[-1])


def _places(text: str) -> tuple[str, ...]:
    places: list[str] = []
    for listed in _PLACES.findall(text):
        # "Paris, Rome and Oslo" are three places, "Florence, Italy" is one.
        names = re.findall(_PLACE, listed) if _LISTED.search(listed) else [listed]
        places += [name for name in names if name not in places]
    return tuple(places)
