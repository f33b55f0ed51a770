"""Find a secret in a text in the forms in which servers write it: escaped, encoded, wrapped or truncated."""

import base64
import html
import json
import re
from itertools import takewhile
from urllib.parse import quote

_GAP = r"(?:\s|\\{1,4}[nrt]|[\u200b\u2060\ufeff\u00ad]|<[^<>]{1,20}>|=\r?\n){0,4}"
"""White space, also in JSON's form, invisible characters, tags and soft line breaks between two characters."""
_MAX_CHARACTERS = 64
"""The number of characters that may each be escaped. What follows a longer secret's beginning is removed with it."""
_START = 4
"""The number of characters that are searched for first, because the pattern of a whole secret takes long to build."""
_MIN_CUT = 8
"""The minimum length of a truncated secret."""
_CUT_MARKS = ("'", '"', "…", "...")
"""The marks that follow a truncated text."""


class SecretForms:
    """The forms of one secret.

    Args:
        secret: The secret, at least 8 characters.
    """

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._start = re.compile(_escaped(secret[:_START]))
        self._encoded = re.compile("|".join(sorted(map(re.escape, _encoded(secret)))))

    def replaced(self, text: str, replacement: str) -> str:
        """Return a text in which the replacement stands for each form of the secret."""
        if self._start.search(text):
            rest = r"[^\s\"'<>]*" if len(self._secret) > _MAX_CHARACTERS else ""
            # `re` keeps compiled patterns.
            text = re.sub(_escaped(self._secret[:_MAX_CHARACTERS]) + rest, replacement, text)
            text = self._without_cut_ones(text, replacement)
        return self._encoded.sub(replacement, text)

    def _without_cut_ones(self, text: str, replacement: str) -> str:
        """Return a text without the beginnings of the secret at its end, or before the mark of a truncated text."""
        parts, position, start = [], 0, -1
        while (start := text.find(self._secret[:_MIN_CUT], max(start + 1, position))) >= 0:
            pairs = zip(self._secret, text[start : start + len(self._secret)], strict=False)
            end = start + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            if end == len(text) or text.startswith(_CUT_MARKS, end):
                parts += [text[position:start], replacement]
                position = end
        return "".join([*parts, text[position:]])


def _escaped(text: str) -> str:
    """Return a pattern for a text whose characters may be escaped and separated."""
    return _GAP.join(map(_character, text))


def _character(character: str) -> str:
    """Return a pattern for a character as it is, and as URLs, HTML and JSON may write it."""
    number = ord(character)
    digits = "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:02x}")
    named = {
        character,
        quote(character, safe="", errors="replace"),
        html.escape(character),
        json.dumps(character)[1:-1],
    }
    forms = [
        *map(re.escape, sorted(named)),
        f"%{digits}",
        rf"&#(?:0{{0,4}}{number}|[xX]0{{0,4}}{digits});",
        rf"\\{{1,4}}(?:u00|x){digits}",
    ]
    return f"(?:{'|'.join(forms)})"


def _encoded(secret: str) -> set[str]:
    """Return a secret in hexadecimal and Base64, alone and inside other bytes, such as `user:secret`."""
    data = secret.encode(errors="replace")
    forms = {data.hex(), data.hex().upper()}
    for offset, first in enumerate((0, 2, 3)):
        # The characters around it also depend on the bytes before and after the secret.
        shifted = bytes(offset) + data
        form = base64.b64encode(shifted).decode()[first : 8 * len(shifted) // 6]
        forms |= {form, form.translate(str.maketrans("+/", "-_"))}
    return forms
