import pytest

from langchain_kimi.testing import tokens
from langchain_kimi.testing.catalog import KIMIS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello, world!",
        "  two  blanks\n\n",
        "snake_case __init__",
        "你好啊集团 é 1234567",
        '{"a": [1.5, "b"]}',
        "🙂🙂 ok",
    ],
)
def test_joined_tokens_are_the_text(text: str) -> None:
    assert "".join(tokens.split(text)) == text


def test_estimates_grow_with_the_text() -> None:
    assert [tokens.estimate(text) for text in ("", "a", "abcd", "abcde", "你")] == [0, 1, 1, 2, 1]


def test_repeated_prefixes_are_cached() -> None:
    cache = tokens.PromptCache()
    first = {"role": "user", "content": "abcd" * 10}
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "a"}], "reasoning": "Hm."}
    picture = {"role": "user", "content": [{"type": "text", "text": "abcd"}, {"type": "image_url"}]}
    assert cache.count({"messages": [first]}) == tokens.PromptTokens(14, 0)
    longer = cache.count({"messages": [first, call, picture]})
    assert longer.cached == 14
    assert longer.total > 14 + 258
    assert cache.count({"messages": [first, call, picture]}).cached == longer.total
    assert cache.count({"messages": [picture, first]}).cached == 0
    assert cache.count({"messages": [first], "model": "another"}).cached == 0
    assert cache.count({"messages": [first]}, host="another").cached == 0


def test_deferred_tools_are_not_in_the_prompt() -> None:
    tool = {"type": "function", "function": {"name": "a", "description": "word " * 100, "defer_loading": True}}
    body = {"messages": [{"role": "user", "content": "hi"}], "tools": [tool]}
    whole = tokens.PromptCache().count(body).total
    assert tokens.PromptCache().count({**body, "deferred_tools": {}}).total == whole
    deferred = {**body, "deferred_tools": {"search": {"type": "bm25", "max_results": 2}}}
    hidden = tokens.PromptCache().count(deferred).total
    assert hidden < whole - 50
    # The definitions that a search found stay in the prompt.
    called = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "a"}}]}
    assert tokens.PromptCache().count({**deferred, "messages": [called]}).total > hidden + 200


def test_tools_of_messages_are_in_the_prompt() -> None:
    later = {"role": "system", "tools": [{"type": "function", "function": {"name": "a", "description": "word " * 100}}]}
    cache, user = tokens.PromptCache(), {"role": "user", "content": "hi"}
    first = cache.count({"messages": [user]})
    second = cache.count({"messages": [user, later]})
    assert (second.cached, second.total > first.total + 100) == (first.total, True)


def test_the_cache_forgets_the_oldest() -> None:
    cache = tokens.PromptCache(remembered=2)
    bodies = [{"messages": [{"role": "user", "content": str(number)}]} for number in range(3)]
    for body in bodies:
        cache.count(body)
    assert [cache.count(body).cached > 0 for body in (bodies[2], bodies[0])] == [True, False]


def test_costs_add_up() -> None:
    usage = tokens.usage(tokens.PromptTokens(1000, 400), 500, 100, KIMIS["moonshotai/kimi-k2-0905"])
    assert usage["total_tokens"] == 1500
    assert usage["cost_details"]["upstream_inference_prompt_cost"] == pytest.approx((600 * 0.6 + 400 * 0.15) / 1e6)
    assert usage["cost_details"]["upstream_inference_completions_cost"] == pytest.approx(500 * 2.5 / 1e6)
    assert usage["cost"] == pytest.approx(sum((600 * 0.6, 400 * 0.15, 500 * 2.5)) / 1e6)
