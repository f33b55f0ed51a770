"""Almost-JSON, read by a library that is there for it: trailing commas, comments, single quotes, bare keys, NaN.

The library is `json5`, an optional extra (`langchain-kimi-openrouter[json5]`): it reads a published grammar, which says
what each of these means, and refuses all else, above all what breaks off. Libraries that repair JSON complete a cut
object and choose between readings, which would be a guess at a value. It is slow, so only short texts are given to it.
"""

import re
from importlib import import_module
from typing import Any

from langchain_kimi._messages.json_hooks import distinct_keys, finite

LONGEST = 100_000
"""Characters: `json5` takes about a second for them."""

# JSON5 reads `\d` as `d`: of a path or a formula whose backslashes were not doubled, another value.
_LOST_BACKSLASH = re.compile(r"\\(?P<lost>[^\"'\\/bfnrtu\r\n\u2028\u2029])|\\.", re.DOTALL)
_FENCED = re.compile(r"\s*```[\w-]*[ \t]*\r?\n(.*?)\n?\s*```\s*", re.DOTALL)


def read_json5(text: str) -> Any:
    """Return the value of a whole text, fenced or not.

    Raises:
        ValueError: the library is not installed, or the text is no JSON5 either.
    """
    text = text.strip().removeprefix("\ufeff")
    if len(text) > LONGEST:
        raise ValueError("too long for a library that is slow")
    try:
        json5 = import_module("json5")
    except ImportError as missing:
        raise ValueError("the extra json5 is not installed") from missing
    if any(escape["lost"] for escape in _LOST_BACKSLASH.finditer(text)):
        raise ValueError("a backslash before a character that needs none")
    fenced = _FENCED.fullmatch(text)
    try:
        return json5.loads(fenced.group(1) if fenced else text, parse_float=finite, object_pairs_hook=distinct_keys)
    except RecursionError as too_deep:
        raise ValueError("nested too deeply") from too_deep
