from langchain_kimi._kimi.families import family
from langchain_kimi._openrouter.wire import JSONObject, WireMessage
from langchain_kimi._tokens.chat_template import render
from langchain_kimi._tokens.prompt import CLIP_TOKENS, Segment

K3 = family("moonshotai/kimi-k3")
OPEN = '<|open|>message role="assistant"<|sep|><|open|>think<|sep|>'
END = "<|close|>message<|sep|><|end_of_msg|>"


def text_of(messages: list[WireMessage], tools: list[JSONObject] | None = None) -> str:
    return "".join(segment.text for segment in render(K3, messages, tools))


def test_a_question_comes_after_the_effort() -> None:
    text = text_of([{"role": "user", "name": 'A"&b', "content": "Hi"}])
    assert text.startswith('<|open|>message role="system" type="thinking-effort"<|sep|>`thinking_effort` guides')
    question = f'<|open|>message role="user" name="A&quot;&amp;b"<|sep|>Hi{END}'
    assert text.endswith(f"`thinking_effort=max`.{END}{question}{OPEN}")


def test_tools_are_json_in_a_block() -> None:
    text = text_of([], [{"type": "function", "function": {"name": "look"}}])
    assert text.startswith('<|open|>message role="system" type="tool-declare"<|sep|># Tools\n')
    assert f'```json\n[{{"function":{{"name":"look"}},"type":"function"}}]\n```{END}' in text


def test_calls_have_names_and_no_ids() -> None:
    calls: WireMessage = {
        "role": "assistant",
        "content": "Wait.",
        "reasoning": "Look.",
        "tool_calls": [
            {"id": "x", "function": {"name": "look", "arguments": '{"a":1}'}},
            {"id": "y", "function": {"name": "hear", "arguments": ""}},
        ],
    }
    results: list[WireMessage] = [
        {"role": "tool", "tool_call_id": "y", "content": "Wind."},
        {"role": "tool", "tool_call_id": "lost", "content": "?"},
    ]
    text = text_of([calls, *results])
    assert (
        '<|open|>message role="assistant"<|sep|><|open|>think<|sep|>Look.<|close|>think<|sep|>'
        "<|open|>response<|sep|>Wait.<|close|>response<|sep|><|open|>tools<|sep|>"
        '<|open|>call tool="look" index="1"<|sep|>'
        '<|open|>json type="object"<|sep|>{"a":1}<|close|>json<|sep|><|close|>call<|sep|>'
        '<|open|>call tool="hear" index="2"<|sep|><|close|>call<|sep|>'
        f"<|close|>tools<|sep|>{END}"
        f'<|open|>message role="tool" tool="hear" index="2"<|sep|>Wind.{END}'
        f'<|open|>message role="tool" tool="tool" index="1"<|sep|>?{END}'
    ) in text


def test_an_answer_thinks_even_without_thoughts() -> None:
    text = text_of([{"role": "assistant", "content": "Hi", "reasoning": " \n"}])
    assert "<|open|>think<|sep|><|close|>think<|sep|><|open|>response<|sep|>Hi<|close|>response<|sep|>" in text


def test_tokens_around_the_text() -> None:
    segments = render(K3, [{"role": "user", "content": [{"type": "video_url", "video_url": {}}]}])
    # Opened and closed: effort and question (2 + 2 + 1 each), then the answer and its thoughts.
    assert sum(segment.tokens or 0 for segment in segments if segment.is_certain) == 5 + 5 + 2 + 2
    assert Segment("video_url", CLIP_TOKENS, is_certain=False) in segments
