"""A leaked call that is handed out while it is still being written.

What was handed out cannot be taken back. So nothing is before the call is certain: it names an offered tool, and its
arguments begin as an object with a key, which no placeholder in a text about the markup does. From there on all is
handed out that belongs to the arguments whatever follows: up to what may be a marker, for a string that is never
closed ends there, and without the blanks at the end, which are left out.
"""

import re

from langchain_kimi.kimi.leaked_call import LeakedCall
from langchain_kimi.kimi.markup_grammar import BOUNDARY, unfinished_marker

_BEGINNING = re.compile(r'\s*(?=\{\s*")')
_UNDECIDED = ("", "{")


class GrowingCall:
    """Takes the arguments of a call piece by piece, and then the call itself.

    Attributes:
        id: The call's, as the model wrote it.
        name: The offered tool that is meant.
        whole: The call, once its end has come and it was certain before that.
    """

    def __init__(self, call_id: str, name: str) -> None:
        self.id = call_id
        self.name = name
        self.whole: LeakedCall | None = None
        self._held: list[str] = []
        self._ready: list[str] = []
        self._told = 0
        self._has_begun = self._is_stopped = False

    def feed(self, text: str) -> None:
        """Take the next text of the arguments."""
        if self._is_stopped:
            return
        self._held.append(text)
        if text.isspace():
            return
        text = "".join(self._held)
        if not self._has_begun:
            found = _BEGINNING.match(text)
            self._has_begun, self._is_stopped = found is not None, found is None and text.strip() not in _UNDECIDED
            text = text[found.end() :] if found else text
        self._held = [text] if not self._has_begun else self._told_of(text)

    def finish(self, call: LeakedCall) -> None:
        """Take the whole call; what was not handed out of it is ready now, unless it was never certain."""
        self._is_stopped = True
        if self._has_begun:
            self.whole = call
            self._ready.append(call.arguments[self._told :])

    def take(self) -> str:
        """Give what can be handed out and was not yet."""
        ready = "".join(self._ready)
        self._ready.clear()
        return ready

    def _told_of(self, text: str) -> list[str]:
        """Make ready what is certain of a text; gives the rest of it."""
        boundary = BOUNDARY.search(text)
        self._is_stopped = boundary is not None
        certain = text[: boundary.start() if boundary else unfinished_marker(text)].rstrip()
        self._told += len(certain)
        self._ready.append(certain)
        return [text[len(certain) :]]
