from typing import Any

import pytest

from langchain_kimi._kimi.families import family
from langchain_kimi._openrouter.wire import JSONObject, WireMessage
from langchain_kimi._tokens.chat_template import DEFAULT_SYSTEM, render
from langchain_kimi._tokens.hosts import PromptForm, ToolsStyle
from langchain_kimi._tokens.prompt import IMAGE_TOKENS, Segment

K2, THINKING, K2_5 = "moonshotai/kimi-k2-0905", "moonshotai/kimi-k2-thinking", "moonshotai/kimi-k2.5"
SYSTEM: WireMessage = {"role": "system", "content": "Be brief."}
USER: WireMessage = {"role": "user", "content": "Weather?"}
CALLS: WireMessage = {
    "role": "assistant",
    "content": None,
    "reasoning": "It rains?",
    "tool_calls": [
        {"id": "functions.look:0", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}},
        {"id": "functions.look:1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
    ],
}
RESULT: WireMessage = {"role": "tool", "tool_call_id": "functions.look:0", "content": "Rain."}
ANSWER: WireMessage = {"role": "assistant", "content": "Rain.", "reasoning": "So it does."}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
TYPESCRIPT = "# Tools\n\n## functions\nnamespace functions {\ntype look = (_: {}) => any;\n}\n"
COMPACT = '[{"function":{"name":"look","parameters":{"properties":{},"type":"object"}},"type":"function"}]'
SPACED = '[{"function": {"name": "look", "parameters": {"properties": {}, "type": "object"}}, "type": "function"}]'

DEFAULT = f"<|im_system|>system<|im_middle|>{DEFAULT_SYSTEM}<|im_end|>"
BRIEF = "<|im_system|>system<|im_middle|>Be brief.<|im_end|>"
ASKED = "<|im_user|>user<|im_middle|>Weather?<|im_end|>"
OPEN = "<|im_assistant|>assistant<|im_middle|>"
SECTION = (
    "<|tool_calls_section_begin|>"
    '<|tool_call_begin|>functions.look:0<|tool_call_argument_begin|>{"a":1}<|tool_call_end|>'
    "<|tool_call_begin|>functions.look:1<|tool_call_argument_begin|>{}<|tool_call_end|>"
    "<|tool_calls_section_end|><|im_end|>"
)
RETURNED = "<|im_system|>tool<|im_middle|>## Return of functions.look:0\nRain.<|im_end|>"


def rendered(slug: str, messages: list[WireMessage], **more: Any) -> list[Segment]:
    return render(family(slug), messages, **more)


def text_of(segments: list[Segment]) -> str:
    return "".join(segment.text for segment in segments)


@pytest.mark.parametrize(
    ("slug", "messages", "text"),
    [
        (K2, [USER], DEFAULT + ASKED + OPEN),
        (K2, [], DEFAULT + OPEN),
        (K2, [SYSTEM, USER], BRIEF + ASKED + OPEN),
        (K2, [SYSTEM, USER, CALLS, RESULT], BRIEF + ASKED + OPEN + SECTION + RETURNED + OPEN),
        (THINKING, [USER], DEFAULT + ASKED + OPEN),
        (
            THINKING,
            [SYSTEM, USER, CALLS, RESULT],
            BRIEF + ASKED + OPEN + "<think>It rains?</think>" + SECTION + RETURNED + OPEN,
        ),
        (
            THINKING,
            [SYSTEM, USER, CALLS, RESULT, ANSWER, USER],
            BRIEF + ASKED + OPEN + "<think></think>" + SECTION + RETURNED + OPEN + "<think></think>Rain.<|im_end|>"
            f"{ASKED}{OPEN}",
        ),
        (K2_5, [USER], ASKED + OPEN + "<think>"),
        (
            K2_5,
            [USER, CALLS, RESULT],
            ASKED + OPEN + "<think>It rains?</think>" + SECTION + RETURNED + OPEN + "<think>",
        ),
        ("meta-llama/llama-4", [USER], ASKED + OPEN),
    ],
)
def test_a_conversation(slug: str, messages: list[WireMessage], text: str) -> None:
    assert text_of(rendered(slug, messages)) == text


@pytest.mark.parametrize(
    ("slug", "style", "declared"),
    [
        (K2, None, SPACED),
        (K2, "json", SPACED),
        (K2, "compact_json", COMPACT),
        (K2, "typescript", TYPESCRIPT),
        (THINKING, None, SPACED),
        (K2_5, None, TYPESCRIPT),
        ("moonshotai/kimi-k2.7-code", None, TYPESCRIPT),
        (K2_5, "compact_json", COMPACT),
    ],
)
def test_tools_come_first(slug: str, style: ToolsStyle | None, declared: str) -> None:
    text = text_of(rendered(slug, [SYSTEM, USER], tools=TOOLS, form=style and PromptForm(style)))
    assert text.startswith(f"<|im_system|>tool_declare<|im_middle|>{declared}<|im_end|>{BRIEF}")


@pytest.mark.parametrize(
    "parameters", [{"type": "object", "properties": {"a": {"oneOf": []}}}, {"properties": 5}, {"properties": [1]}]
)
def test_tools_that_typescript_has_no_words_for_are_json(parameters: dict[str, Any]) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": parameters}}]
    assert '"function":{"name":"look"' in text_of(rendered(K2_5, [USER], tools=tools))
    server_tools = [{"type": "openrouter:web_search"}]
    assert '[{"type":"openrouter:web_search"}]' in text_of(rendered(K2_5, [USER], tools=server_tools))


# Told by recorded prompts of which everything else is known: four tokens a turn, three to open the answer.
@pytest.mark.parametrize(
    ("slug", "messages", "tokens"),
    [
        (K2, [SYSTEM, USER], 4 + 4 + 3),
        (K2, [USER], 18 + 4 + 3),
        (THINKING, [SYSTEM, USER], 4 + 4 + 3),
        (K2_5, [SYSTEM, USER], 4 + 4 + 3 + 1),
        (K2, [SYSTEM, USER, CALLS, RESULT], 4 + 4 + (4 + 2 + 2 * 3) + 4 + 3),
        (K2_5, [SYSTEM, USER, CALLS, RESULT], 4 + 4 + (4 + 2 + 2 + 2 * 3) + 4 + 4),
    ],
)
def test_tokens_around_the_text(slug: str, messages: list[WireMessage], tokens: int) -> None:
    assert sum(segment.tokens or 0 for segment in rendered(slug, messages)) == tokens


def test_a_name_takes_the_place_of_the_role() -> None:
    segments = rendered(K2_5, [{"role": "user", "name": "Ada", "content": "Hi"}])
    assert segments[:3] == [Segment("<|im_user|>", 1), Segment("Ada"), Segment("<|im_middle|>", 1)]


def test_text_that_looks_like_a_special_token_is_text() -> None:
    segments = rendered(K2_5, [{"role": "user", "content": "<|im_end|>"}])
    assert segments[3] == Segment("<|im_end|>", None)


def test_an_image_is_an_estimate_between_texts() -> None:
    content: list[JSONObject] = [
        {"type": "text", "text": "What "},
        {"type": "image_url", "image_url": {}},
        {"type": "text", "text": "?"},
    ]
    segments = rendered(K2_5, [{"role": "user", "content": content}])
    assert Segment("image_url", IMAGE_TOKENS, is_certain=False) in segments
    assert [segment.text for segment in segments if segment.tokens is None] == ["What ", "\n?"]


def test_a_host_may_add_no_system_text_and_hide_reasoning() -> None:
    bare = PromptForm("json", default_system=False, reasoning=False)
    assert text_of(rendered(K2, [USER], form=bare)) == ASKED + OPEN
    with_reasoning = text_of(rendered(K2_5, [USER, CALLS, RESULT]))
    hidden = text_of(rendered(K2_5, [USER, CALLS, RESULT], form=bare))
    assert hidden == with_reasoning.replace("It rains?", "")
