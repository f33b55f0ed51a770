from typing import Any

import pytest

from langchain_kimi.testing import prompts, responder
from tests.growth import assert_linear
from tests.rows import each_row


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("What is the value of magic_function(3)?", (3,)),
        ("What is 3 + 4", (3, 4)),
        ("Take -2 and 1.5, not v2 or 3rd.", (-2, 1.5)),
        ("On 2026-05-06 ask http://localhost/7 for 8.", (8,)),
        ("Nothing", ()),
    ],
)
def test_numbers_in_prompts(text: str, numbers: tuple[float, ...]) -> None:
    assert prompts.read(text).numbers == numbers


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a customer named '你好啊集团' (Hello Group)", ("你好啊集团",)),
        ("with 'setup' and \"punchline\" and `code`", ("setup", "punchline", "code")),
        ("what's up, it's fine", ()),
        ("「東京」 or “Oslo”", ("東京", "Oslo")),
    ],
)
def test_quoted_texts_in_prompts(text: str, quoted: tuple[str, ...]) -> None:
    assert prompts.read(text).quoted == quoted


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("What is the weather in San Francisco, CA?", ("San Francisco, CA",)),
        ("What's the weather in Florence, Italy?", ("Florence, Italy",)),
        ("The weather in Paris and in London, please", ("Paris", "London")),
        ("Compare it for Paris, Rome and New York", ("Paris", "Rome", "New York")),
        ("From Oslo to Oslo", ("Oslo",)),
        ("The weather in San Francisco, CA and Paris", ("San Francisco, CA", "Paris")),
        ("what is the weather in here", ()),
        ("Tell me about cats.", ()),
    ],
)
def test_places_in_prompts(text: str, places: tuple[str, ...]) -> None:
    assert prompts.read(text).places == places


def test_dates_emails_and_urls_in_prompts() -> None:
    facts = prompts.read("On 2026-05-06 write to a.b@example.org, see https://example.org/x?y=1.")
    assert facts.dates == ("2026-05-06",)
    assert facts.emails == ("a.b@example.org",)
    assert facts.urls == ("https://example.org/x?y=1",)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Return a JSON with 'setup' and 'punchline' keys, 'and not this one'.", ["setup", "punchline"]),
        ("JSON with the keys: name, age and town", ["name", "age", "town"]),
        ("JSON, please", []),
    ],
)
def test_keys_of_json_objects_in_prompts(text: str, keys: list[str]) -> None:
    assert prompts.keys(text) == keys


def test_text_of_messages() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "two"}]
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "be"},
        {"role": "user", "content": parts},
        {"role": "assistant"},
    ]
    assert [prompts.text_of(message) for message in messages] == ["be", "one\ntwo", ""]
    assert prompts.last_user_text(messages) == "one\ntwo"
    assert prompts.last_user_text(messages[:1]) == "be"


@pytest.mark.uncovered
@each_row(
    "part", ["a", "1", "1.", "2020-01-", "a@", "a@b.", "“", "「", "'a", '"', "http://.", "in Aa Bb, CD and ", "keys  "]
)
def test_the_time_to_read_a_prompt_grows_with_its_length(part: str) -> None:
    def reply(size: int) -> object:
        text = (part * size)[:size]
        return prompts.keys(text), responder.reply_to({"messages": [{"role": "user", "content": text}]})

    assert_linear(reply)
