"""A search for tools by words, in their names, descriptions and parameters."""

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

MISSING = "KimiToolSearch needs the package bm25s for this model: `pip install bm25s`, or the extra `tool-search`."
# Chinese, Japanese and Korean have no blanks between words.
_LETTERS = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_LETTERS}]|[^\W_{_LETTERS}]+")
# Between the words of `getWeather` and `HTTPServer`.
_BETWEEN = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLURALS = ((re.compile(r"(?<=[a-z]{2})ies$"), "y"), (re.compile(r"(?<=[a-z]{2})(?:(?<=[sxz])es|(?<!s)s)$"), ""))
_STOP_WORDS = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "of", "on"}
    | {"or", "that", "the", "this", "to", "with"}
)
_NAME_WEIGHT = 3
"""How often the words of a name count."""


def words_of(text: str) -> list[str]:
    """Return the words of a text or a name, in lower case and in the singular, without words such as `the`."""
    words = (_singular(word.lower()) for word in _WORD.findall(_BETWEEN.sub(" ", text)))
    return [word for word in words if word not in _STOP_WORDS]


def _singular(word: str) -> str:
    for ending, replacement in _PLURALS:
        if ending.search(word):
            return ending.sub(replacement, word)
    return word


class ToolIndex:
    """The words of some tools. They are ranked by BM25.

    Args:
        functions: The tools: names, descriptions and schemas, in the form of the wire.

    Raises:
        ImportError: The package bm25s is not installed.
    """

    def __init__(self, functions: Sequence[Mapping[str, Any]]) -> None:
        try:
            package = import_module("bm25s")
        except ImportError as error:
            raise ImportError(MISSING) from error
        self._names = [function["name"] for function in functions]
        texts = [words_of(_text_of(function)) for function in functions]
        self._index = None
        if any(texts):
            self._index = package.BM25()
            self._index.index(texts, show_progress=False)

    def search(self, query: str, limit: int) -> list[str]:
        """Return the names of the tools that fit a query, the best first.

        A tool whose name is in the query comes before the others.
        """
        spelled = set(re.findall(r"[^\s,;]+", query))
        named = [name for name in self._names if name in spelled]
        words = words_of(query)
        scores = [] if self._index is None or not words else self._index.get_scores(words).tolist()
        ranked = sorted(range(len(scores)), key=lambda position: -scores[position])
        fitting = [self._names[position] for position in ranked if scores[position] > 0]
        return list(dict.fromkeys([*named, *fitting]))[:limit]


def _text_of(function: Mapping[str, Any]) -> str:
    properties = (function.get("parameters") or {}).get("properties") or {}
    # A schema may be `true`, which accepts everything (JSON Schema, draft 6).
    parameters = [
        f"{name} {schema.get('description', '') if isinstance(schema, Mapping) else ''}"
        for name, schema in properties.items()
        if schema
    ]
    return " ".join([*[function["name"]] * _NAME_WEIGHT, function.get("description") or "", *parameters])
