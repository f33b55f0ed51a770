import copy
import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from langchain_kimi._request.changes import split_content
from langchain_kimi._request.content import content_to_wire, with_image_types
from langchain_kimi.errors import KimiUsageError
from tests.rows import each_row

EPHEMERAL = {"type": "ephemeral"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://images.test/a.png"}}


def text(value: Any, **more: Any) -> Any:
    return {"type": "text", "text": value, **more}


STRINGS = [
    ("string", "hi", "hi"),
    ("white space", " hi \n", " hi \n"),
    ("empty string", "", ""),
    ("empty list", [], ""),
    ("empty text", [text("")], ""),
    ("one text", [text("hi")], "hi"),
    ("one string", ["hi"], "hi"),
    ("two items are separated", [text("1"), text("2")], "1\n2"),
    ("strings and blocks", ["a", text("b"), "c"], "a\nb\nc"),
    ("white space at the end separates", [text("a "), text("b")], "a b"),
    ("white space at the start separates", [text("a"), text("\n\nb")], "a\n\nb"),
    ("an empty block adds no separator", [text("a"), text(""), text("b")], "a\nb"),
    ("ids, indices, annotations and extras are not sent", [text("a", id="1", index=0, annotations=[], extras={})], "a"),
    ("text-plain", [{"type": "text-plain", "text": "a", "mime_type": "text/plain"}], "a"),
    ("text-plain, titled", [{"type": "text-plain", "text": "a", "title": "T", "context": "C"}], "T\nC\na"),
    ("text-plain in base64", [{"type": "text-plain", "base64": "w6k=", "mime_type": "text/plain"}], "é"),
    ("v0 text", [{"type": "file", "source_type": "text", "text": "a"}], "a"),
    (
        "Anthropic document of text",
        [{"type": "document", "title": "T", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}],
        "T\na",
    ),
    ("json", [{"type": "json", "json": {"ä": 1}}], '{"ä": 1}'),
    (
        "search result",
        [{"type": "search_result", "title": "T", "source": "https://s.test", "content": [text("a"), text("b")]}],
        "T\nhttps://s.test\na\nb",
    ),
    ("search result without texts", [{"type": "search_result", "title": "T"}], "T"),
    ("non-standard, a string", [{"type": "non_standard", "value": "a"}], "a"),
    ("non-standard, no type", [{"type": "non_standard", "value": {"guardContent": {"text": "a"}}}], "a"),
    ("non-standard, nothing", [{"type": "non_standard"}, text("a")], "a"),
    ("non-standard text", [{"type": "non_standard", "value": text("a")}], "a"),
    ("unknown type", ["a", {"type": "hologram", "data": "x"}, "b"], "a\nb"),
    ("unknown type with text", ["a", {"type": "hologram", "text": "b"}], "a\nb"),
    ("no type", [{"text": "a"}, {"cachePoint": {"type": "default"}}], "a"),
    ("reasoning", [{"type": "reasoning", "reasoning": "a"}], "a"),
    ("OpenAI Responses", [{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}], "a\nb"),
    ("unknown type with a cache marker", ["a", {"type": "x", "cache_control": EPHEMERAL}], "a"),
]


@pytest.mark.parametrize(("content", "wire"), [case[1:] for case in STRINGS], ids=[case[0] for case in STRINGS])
def test_texts_become_one_string(content: Any, wire: Any) -> None:
    assert content_to_wire(content, "user", "messages[0]") == wire


LISTS = [
    ("cache_control", [text("a", cache_control=EPHEMERAL), text("b")], [text("a", cache_control=EPHEMERAL), text("b")]),
    (
        "prompt_cache_breakpoint",
        [text("a", prompt_cache_breakpoint={"mode": "explicit"})],
        [text("a", prompt_cache_breakpoint={"mode": "explicit"})],
    ),
    (
        "marker in extras",
        [text("a", extras={"cache_control": EPHEMERAL})],
        [text("a", cache_control=EPHEMERAL)],
    ),
    (
        "marker on plain text",
        [{"type": "text-plain", "text": "a", "cache_control": EPHEMERAL}],
        [text("a", cache_control=EPHEMERAL)],
    ),
    ("no marker", [text("a", cache_control=None), IMAGE], [text("a"), IMAGE]),
    ("text and image", ["look", IMAGE], [text("look"), IMAGE]),
    ("empty text beside an image", [text(""), IMAGE], [IMAGE]),
    (
        "text-plain by url",
        [{"type": "text-plain", "url": "https://files.test/a.txt"}],
        [{"type": "file", "file": {"file_data": "https://files.test/a.txt"}}],
    ),
    (
        "non-standard image",
        [{"type": "non_standard", "value": {"type": "image_url", "image_url": "u"}}],
        [{"type": "image_url", "image_url": {"url": "u"}}],
    ),
    (
        "non-standard, unknown type",
        [{"type": "non_standard", "value": {"type": "hologram", "text": "a"}}],
        [{"type": "hologram", "text": "a"}],
    ),
]


@pytest.mark.parametrize(("content", "wire"), [case[1:] for case in LISTS], ids=[case[0] for case in LISTS])
def test_other_content_stays_a_list(content: Any, wire: Any) -> None:
    before = copy.deepcopy(content)
    assert content_to_wire(content, "user", "messages[0]") == wire
    assert content == before


@pytest.mark.parametrize("role", ["system", "developer"])
def test_system_prompts_accept_only_text(role: Any) -> None:
    assert content_to_wire([text("a"), {"type": "hologram", "text": "b"}], role, "m") == "a\nb"
    assert content_to_wire([text("a", cache_control=EPHEMERAL)], role, "m") == [text("a", cache_control=EPHEMERAL)]
    with pytest.raises(KimiUsageError) as raised:
        content_to_wire([text("a"), IMAGE], role, "messages[0]")
    assert str(raised.value) == (
        f"messages[0].content[1]: a block of type 'image_url' cannot be sent in a message of role '{role}'; "
        "accepted types: json, search_result, text, text-plain."
    )


ERRORS = [
    ({"type": "text-plain"}, "a block of type 'text-plain' needs 'text', 'base64' or 'url'."),
    (
        {"type": "text-plain", "base64": "/w=="},
        "plain text in base64 must be UTF-8: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte.",
    ),
    ({"type": "json"}, "a block of type 'json' needs 'json' with a JSON value."),
    ({"type": "json", "json": {1, 2}}, "a block of type 'json' needs 'json' with a JSON value."),
    (
        {"type": "search_result", "content": "a"},
        "a block of type 'search_result' needs 'title', 'source' or 'content'.",
    ),
]


@pytest.mark.parametrize(("block", "reason"), ERRORS)
def test_the_error_for_a_block_names_its_position(block: Any, reason: Any) -> None:
    with pytest.raises(KimiUsageError) as raised:
        content_to_wire(["look", block], "user", "messages[2]")
    assert str(raised.value) == f"messages[2].content[1]: {reason}"


@pytest.mark.parametrize("role", ["system", "user", "tool"])
@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (None, ""),
        ([None, "a"], "a"),
        ([{"type": "text"}, text("a")], "a"),
        ([{"type": "text", "text": None}], ""),
        ([{"type": "text", "text": {"value": "a", "annotations": []}}], "a"),
        ([{"type": "text", "text": ["a", "b"]}], "a\nb"),
    ],
)
def test_a_text_that_is_not_a_string_is_no_error(content: Any, wire: str, role: str) -> None:
    assert content_to_wire(content, role, "messages[0]") == wire


@pytest.mark.parametrize("kind", [["a"], {"a": 1}, 5])
def test_a_type_that_is_not_a_string_is_unknown(kind: Any) -> None:
    block = {"type": kind, "text": "a"}
    for role in ("system", "user"):
        assert content_to_wire([block], role, "messages[0]") == "a"
        assert content_to_wire([{"type": "non_standard", "value": block}], role, "messages[0]") == "a"
    assert content_to_wire([block], "tool", "messages[0]") == json.dumps(block)
    assert split_content([block], is_system=True) == ([block], [])


def test_an_object_in_a_result_that_is_not_json_is_refused() -> None:
    with pytest.raises(KimiUsageError, match=r"messages\[0\].content\[0\]: an object in a tool's result must be JSON"):
        content_to_wire([{("a", "b"): 1}], "tool", "messages[0]")


PNG = "iVBORw0KGgoAAAAN"


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"mime_type": "image/png", "data": PNG},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        ),
        (
            {"mime_type": "audio/wav", "data": b"RIFF"},
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        ),
        (
            {"mime_type": "application/pdf", "file_uri": "https://files.test/a.pdf"},
            {"type": "file", "file": {"file_data": "https://files.test/a.pdf"}},
        ),
        (
            {"file_uri": "https://files.test/a.pdf"},
            {"type": "file", "file": {"file_data": "https://files.test/a.pdf"}},
        ),
    ],
)
@pytest.mark.parametrize("role", ["user", "tool"])
def test_media_in_googles_form(block: Any, part: Any, role: str) -> None:
    assert content_to_wire([{"type": "media", **block}], role, "messages[0]") == [part]


def test_a_document_of_blocks() -> None:
    source = {"type": "content", "content": [text("a"), text("b")]}
    assert content_to_wire([{"type": "document", "source": source, "title": "t"}], "user", "messages[0]") == "t\na\nb"


def test_the_objects_of_a_result_that_are_not_blocks_are_sent_as_json() -> None:
    assert content_to_wire([{"a": 1}, {"text": "b", "c": 2}], "tool", "m") == '{"a": 1}\n{"text": "b", "c": 2}'
    assert content_to_wire([{"text": "a"}], "tool", "m") == "a"
    assert content_to_wire([{"a": 1}], "user", "messages[0]") == ""


def test_images_get_their_detected_types() -> None:
    messages = [
        HumanMessage("hi"),
        HumanMessage(["a", {"type": "image", "base64": PNG}, {"type": "image", "source_type": "base64", "data": PNG}]),
        HumanMessage([text("a"), IMAGE, {"type": "image", "url": "https://images.test/a.png"}]),
    ]
    before = copy.deepcopy(messages)
    assert with_image_types([messages[0], messages[2]]) is None
    first, second, third = with_image_types(messages) or []
    assert (first is messages[0], third is messages[2]) == (True, True)
    assert second.content == [
        "a",
        {"type": "image", "base64": PNG, "mime_type": "image/png"},
        {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"},
    ]
    assert messages == before


@pytest.mark.parametrize(
    "block", [{"type": "image", "base64": "aW1n"}, {"type": "image", "base64": 5}, {"type": "image", "base64": None}]
)
def test_an_image_of_unknown_type_is_named(block: Any) -> None:
    with pytest.raises(KimiUsageError) as raised:
        with_image_types([HumanMessage("hi"), HumanMessage(["a", block])])
    assert str(raised.value) == (
        "messages[1].content[1]: base64 data in a block of type 'image' needs its 'mime_type'."
    )


@each_row(
    "item",
    [
        {"type": "file", "name": "a.txt", "size": 3},
        {"type": "file", "file": "a.txt"},
        {"type": "image", "name": "a.png", "file_id": "f1"},
        {"type": "image", "data": {"width": 3}},
        {"type": "audio", "title": "A song", "url": "https://example.com/a.mp3"},
        {"type": "document", "title": "Rules", "content": "Be brief."},
        {"type": "json", "data": {"a": 1}},
        {"type": "text", "name": "email", "label": "E-mail"},
        {"type": "search_result", "title": "A page", "snippet": "About it."},
        {"type": "search_result", "title": "A page", "content": "The page."},
    ],
)
def test_an_object_of_a_tool_with_the_type_of_a_block_is_sent_as_json(item: Any) -> None:
    assert content_to_wire([item], "tool", "messages[0]") == json.dumps(item)
    assert content_to_wire([item, {"a": 1}], "tool", "messages[0]") == f'{json.dumps(item)}\n{{"a": 1}}'


@each_row(
    "block, reason",
    [
        ({"type": "image", "base64": "aW1n"}, "base64 data in a block of type 'image' needs its 'mime_type'."),
        ({"type": "image", "data": "aW1n"}, "a block of type 'image' needs 'url' or 'base64'."),
        ({"type": "file", "source_type": "url"}, "a source of type 'url' needs 'url'."),
        ({"type": "image", "source": {"type": "url"}}, "a source of type 'url' needs 'url'."),
    ],
)
def test_media_of_a_tool_that_cannot_be_sent_are_refused(block: Any, reason: str) -> None:
    """As JSON, their data would be thousands of tokens of base64."""
    with pytest.raises(KimiUsageError) as raised:
        content_to_wire([block], "tool", "messages[0]")
    assert str(raised.value) == f"messages[0].content[0]: {reason}"


def test_an_image_with_a_text_instead_of_data() -> None:
    block = {"type": "image", "text": "A cat", "size": 3}
    [result] = with_image_types([ToolMessage([block], tool_call_id="1")]) or []
    assert result.content == [{"type": "text", "text": json.dumps(block)}]
    with pytest.raises(KimiUsageError) as raised:
        with_image_types([HumanMessage([block])])
    assert str(raised.value) == "messages[0].content[0]: a block of type 'image' needs 'url' or 'base64'."
    assert with_image_types([HumanMessage([{**block, "file_id": "f1"}])]) is None


@each_row(
    "block, reason",
    [
        ({"type": "image", "source_type": "url"}, "a source of type 'url' needs 'url'."),
        ({"type": "audio", "source_type": "base64", "base64": ""}, "a source of type 'base64' needs 'data'."),
        ({"type": "file", "source_type": "id"}, "a source of type 'id' needs 'id'."),
        ({"type": "image", "source_type": "text", "text": "a"}, "a block of type 'image' needs 'url' or 'base64'."),
    ],
)
def test_a_block_for_which_langchain_core_fails_is_named(block: Any, reason: str) -> None:
    with pytest.raises(KimiUsageError) as raised:
        with_image_types([HumanMessage([block])])
    assert str(raised.value) == f"messages[0].content[0]: {reason}"


@each_row(
    "block, changed",
    [
        ({"type": "file", "source_type": "text", "text": "a"}, {"type": "text-plain", "text": "a"}),
        ({"type": "file", "source_type": "base64", "base64": "aGk="}, {"type": "file", "base64": "aGk="}),
        (
            {"type": "image", "source_type": "base64", "base64": PNG},
            {"type": "image", "base64": PNG, "mime_type": "image/png"},
        ),
        ({"type": "file", "source_type": "text", "url": "a"}, None),
        ({"type": "file", "source_type": ["url"]}, None),
        ({"type": "video", "source_type": "url"}, None),
        ({"type": "audio", "source_type": "text"}, None),
    ],
)
def test_the_data_of_a_block_in_the_key_of_the_newer_form(block: Any, changed: Any) -> None:
    messages = with_image_types([HumanMessage([block])])
    assert [message.content for message in messages or []] == ([[changed]] if changed else [])


PDF = {"type": "file", "base64": "JVBERi0=", "mime_type": "application/pdf"}
WEB_PDF = {"type": "file", "url": "https://example.com/a.pdf", "mime_type": "application/pdf"}
WEB_TABLE = {"type": "file", "url": "https://example.com/a.csv", "mime_type": "text/csv"}
WEB_IMAGE = {"type": "image", "url": "https://example.com/a.png", "mime_type": "image/png"}
NOT_TEXT = {"type": "file", "base64": "//79", "mime_type": "text/plain"}
UNKNOWN_LINK = {"type": "file", "url": "https://example.com/a.pdf.html"}
UNKNOWN_PDF = {"type": "file", "url": "https://example.com/A.PDF?page=2#end"}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}}
WIRE_FILE = {"type": "file", "file": {"file_data": "https://example.com/a.csv"}}


@each_row(
    "block, expected",
    [
        ({"type": "file", "url": "file:///a.txt", "mime_type": "text/plain"}, "file:///a.txt (text/plain)"),
        ({"type": "file", "url": "memo://1"}, "memo://1"),
        (WEB_TABLE, "https://example.com/a.csv (text/csv)"),
        ({"type": "image", "url": "memo://map", "mime_type": "image/png"}, "memo://map (image/png)"),
        ({"type": "file", "base64": "eyJhIjogMX0=", "mime_type": "application/json"}, '{"a": 1}'),
        (PDF, [{"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}}]),
        (WEB_PDF, [{"type": "file", "file": {"file_data": "https://example.com/a.pdf"}}]),
        (WEB_IMAGE, [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]),
        (NOT_TEXT, [{"type": "file", "file": {"file_data": "data:text/plain;base64,//79"}}]),
        (UNKNOWN_LINK, "https://example.com/a.pdf.html"),
        (UNKNOWN_PDF, [{"type": "file", "file": {"file_data": "https://example.com/A.PDF?page=2#end"}}]),
        ({**WEB_IMAGE, "mime_type": "image/svg+xml"}, "https://example.com/a.png (image/svg+xml)"),
        ({"type": "image", "base64": "PHN2Zy8+", "mime_type": "image/svg+xml"}, "<svg/>"),
        ({"type": "image", "url": "data:image/png;base64,aW1n"}, [PICTURE]),
        (WIRE_FILE, [WIRE_FILE]),
    ],
)
def test_results_of_tools_have_links_and_files_that_hosts_can_read(block: Any, expected: Any) -> None:
    assert content_to_wire([block], "tool", "messages[0]") == expected
