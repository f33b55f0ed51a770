"""Regular expressions that are compiled when they are first used."""

import re
from typing import AnyStr, Generic, cast


class _LazyPattern(Generic[AnyStr]):
    def __init__(self, pattern: AnyStr, flags: int) -> None:
        self.pattern: AnyStr = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> object:
        # From now on the attribute is found without this method. `re` keeps compiled patterns.
        value = self.__dict__[name] = getattr(re.compile(self.pattern, self._flags), name)
        return value


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return an object with the methods of the compiled pattern. It is compiled when the first of them is used.

    Compiling the rarely used patterns took a tenth of the package's import. A pattern that each call uses is compiled
    at import instead, because its methods are then about 20 ns faster.

    Raises:
        re.error: By the methods: the pattern is wrong.
    """
    return cast("re.Pattern[AnyStr]", _LazyPattern(pattern, flags))


def lazy_any_of(*alternatives: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """Return a lazy pattern that matches if one of the alternatives does.

    It is meant for long tables of wordings, with one line and a comment on its source for each wording.

    Args:
        alternatives: Regular expressions. At one position, the first one that matches is used.
        flags: The flags for all of them. By default, capital and small letters are the same.

    Raises:
        re.error: By the methods: one of the alternatives is wrong.
    """
    return lazy_pattern("|".join(alternatives), flags)
