from typing import Any

import pytest

from langchain_kimi._tokens.prompt import (
    CLIP_TOKENS,
    IMAGE_TOKENS,
    Prompt,
    Segment,
    compact_json,
    parts_of,
    reasoning_of,
)


def test_touching_texts_are_one_and_special_tokens_part_them() -> None:
    prompt = Prompt()
    prompt.add_text("He")
    prompt.add_text("")
    prompt.add_text("llo")
    prompt.add_special("<a>", "<b>")
    prompt.add_text("again")
    prompt.add_counted("word", 1)
    prompt.add_text("!")
    assert prompt.segments == [
        Segment("Hello"),
        Segment("<a>", 1),
        Segment("<b>", 1),
        Segment("again"),
        Segment("word", 1),
        Segment("!"),
    ]


@pytest.mark.parametrize(
    ("kind", "tokens"), [("image_url", IMAGE_TOKENS), ("image", IMAGE_TOKENS), ("video_url", CLIP_TOKENS)]
)
def test_media_are_estimates(kind: str, tokens: int) -> None:
    prompt = Prompt()
    prompt.add_media(kind)
    assert prompt.segments == [Segment(kind, tokens, is_certain=False)]


def test_a_content_is_texts_and_other_parts() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
    assert parts_of({"content": "plain"}) == ["plain"]
    assert parts_of({"content": None}) == []
    assert parts_of({"content": [{"type": "text", "text": "a"}, image, {"type": "text", "text": None}]}) == [
        "a",
        image,
        "",
    ]


@pytest.mark.parametrize(
    ("message", "reasoning"),
    [
        ({}, ""),
        ({"reasoning": "a", "reasoning_content": "b"}, "a"),
        ({"reasoning": None, "reasoning_content": "b"}, "b"),
        ({"reasoning_details": [{"text": "a "}, {"data": "…"}, {"text": "b"}]}, "a b"),
    ],
)
def test_reasoning_is_found_in_any_field(message: Any, reasoning: str) -> None:
    assert reasoning_of(message) == reasoning


def test_json_is_compact_ordered_and_readable() -> None:
    assert compact_json([{"b": {"d": 1, "c": "é"}, "a": []}]) == '[{"a":[],"b":{"c":"é","d":1}}]'
