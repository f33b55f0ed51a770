import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from langchain_kimi.errors import KimiRequestError
from langchain_kimi.kimi.counting import TokenCount, TokenCounter, shared_counter
from langchain_kimi.kimi.estimate import estimate_tokens
from langchain_kimi.kimi.prompt_segments import IMAGE_TOKENS
from langchain_kimi.openrouter.wire import WireMessage
from tests.kimi.vocabulary import make

K2, K2_5 = "moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.5"
WORDS = ["You", " are", " a", " helpful", " assistant", "Say", " hi", " in", " Portuguese", "Hi", " there"]
PORTUGUESE: list[WireMessage] = [
    {"role": "system", "content": "You are a helpful assistant"},
    {"role": "user", "content": "Say hi in Portuguese"},
]
HI: list[WireMessage] = [{"role": "user", "content": "Hi there!"}]
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without a vocabulary."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shared_counter.cache_clear()
    return tmp_path


def exact(home: Path, slug: str = K2) -> TokenCounter:
    made = make(home / "made" / "tiktoken.model", WORDS)
    return TokenCounter(slug, str(made.path), sha256=made.sha256)


# What hosts billed for such prompts.
@pytest.mark.parametrize(
    ("slug", "messages", "billed"),
    [(K2, PORTUGUESE, 20), (K2_5, PORTUGUESE, 21), (K2_5, HI, 4 + 3 + 4), (K2, HI, 28)],
)
def test_short_prompts_are_counted_as_they_were_billed(
    home: Path, slug: str, messages: Sequence[WireMessage], billed: int
) -> None:
    assert exact(home, slug).count_messages(messages) == TokenCount(billed, exact=True, unadjusted=billed)
    estimated = TokenCounter(slug).count_messages(messages)
    assert estimated.exact is False
    assert billed <= estimated.tokens <= billed + 1


def test_tools_are_counted_as_the_host_shows_them() -> None:
    counts = [TokenCounter(K2, tools_style=style).count_messages(HI, TOOLS).tokens for style in (None, "json")]
    assert counts[0] == counts[1]
    compact, typescript = (
        TokenCounter(K2, tools_style=style).count_messages(HI, TOOLS).tokens for style in ("compact_json", "typescript")
    )
    assert counts[0] > compact > typescript > 28 + 4


def test_an_image_makes_even_a_count_an_estimate(home: Path) -> None:
    image: list[WireMessage] = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]
    count = exact(home, K2_5).count_messages(image)
    assert (count.exact, count.media_tokens) == (False, IMAGE_TOKENS)
    assert count.tokens == IMAGE_TOKENS + 4 + 4 + 4 + 1


def test_another_makers_model_is_always_estimated(home: Path) -> None:
    counter = exact(home, "meta-llama/llama-4")
    assert counter.count_messages(HI).exact is False
    assert counter.token_ids("Hi") == [0]


def test_a_text_by_itself(home: Path) -> None:
    text = "You are a helpful assistant"
    assert exact(home).count_text(text) == 5
    assert exact(home).token_ids(text) == [256, 257, 258, 259, 260]
    assert TokenCounter(K2).count_text(text) == math.ceil(estimate_tokens(text)) == 6
    assert TokenCounter(K2).token_ids(text) == [0, 1, 2, 3, 4, 5]


def test_a_text_may_be_measured_by_others(home: Path) -> None:
    count = exact(home).count_messages(HI, None, lambda text: len(text) / 2)
    assert count == TokenCount(18 + 4 + 3 + 5, exact=False, unadjusted=30)


def test_a_file_that_is_not_the_vocabulary_is_refused(home: Path) -> None:
    made = make(home / "made" / "tiktoken.model", WORDS)
    with pytest.raises(KimiRequestError, match="checksum"):
        TokenCounter(K2, str(made.path))


def test_an_empty_path_is_none() -> None:
    assert TokenCounter(K2, "").count_text("Hi") == 1


def test_estimates_are_set_right_by_what_was_billed() -> None:
    counter = TokenCounter(K2)
    first = counter.count_messages(HI)
    assert (first.tokens, counter.ratio) == (first.unadjusted, 1.0)
    counter.learn(100, 80)
    counter.learn(100, 90)
    assert counter.ratio == pytest.approx(0.85)
    adjusted = counter.count_messages(HI)
    assert adjusted == TokenCount(math.ceil(28 * 0.85), exact=False, unadjusted=first.unadjusted)
    assert counter.count_text("Hi there!") == 3


TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
LONG: list[WireMessage] = [
    *HI,
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Go on, please. " * 20},
]


def test_what_a_host_adds_to_the_tools_stays_when_a_conversation_grows() -> None:
    counter = TokenCounter(K2)
    first = counter.count_messages(HI, TOOLS)
    counter.learn(first.unadjusted, first.unadjusted - 25, first.frame)
    assert counter.count_messages(HI, TOOLS).tokens == first.unadjusted - 25
    longer = counter.count_messages(LONG, TOOLS)
    assert longer.tokens == longer.unadjusted - 25
    # Of other prompts only the ratio is known.
    with_system: list[WireMessage] = [{"role": "system", "content": "Be brief."}, *HI]
    for messages, tools in ((HI, None), (HI, TOOLS * 2), (with_system, TOOLS)):
        other = counter.count_messages(messages, tools)
        assert other.tokens == math.ceil(other.unadjusted * counter.ratio) < other.unadjusted


def test_what_was_misjudged_in_a_long_text_is_no_burden_to_a_short_one() -> None:
    counter = TokenCounter(K2)
    long, short = counter.count_messages(LONG, TOOLS), counter.count_messages(HI, TOOLS)
    counter.learn(long.unadjusted, round(long.unadjusted * 1.2), long.frame)
    assert counter.count_messages(HI, TOOLS).tokens == pytest.approx(short.unadjusted * 1.2, abs=1)
    # The newest answer decides; nothing is set right by more than the bounds.
    counter.learn(short.unadjusted, short.unadjusted * 4, short.frame)
    assert counter.count_messages(HI, TOOLS).tokens == short.unadjusted * 2


def test_a_count_is_not_set_right(home: Path) -> None:
    counter = exact(home)
    counter.learn(28, 37)
    assert counter.count_messages(HI).tokens == 28


@pytest.mark.parametrize(
    ("pairs", "ratio"),
    [
        ([(0, 5)], 1.0),
        ([(100, 0)], 1.0),
        ([(100, 5_000)], 1.0),
        ([(100, 10)], 1.0),
        ([(100, 400)], 2.0),
        ([(100, 30)], 0.5),
        ([(100, 400)] * 3 + [(100, 110)] * 32, 1.1),
    ],
)
def test_what_is_learned_has_bounds(pairs: list[tuple[int, int]], ratio: float) -> None:
    counter = TokenCounter(K2)
    for estimated, billed in pairs:
        counter.learn(estimated, billed)
    assert counter.ratio == pytest.approx(ratio)


def test_threads_may_share_a_counter() -> None:
    counter = TokenCounter(K2)

    def work(_: int) -> float:
        counter.learn(100, 120)
        return counter.ratio

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(2_000))) == {1.2}


def test_the_counter_of_a_model_is_shared(home: Path) -> None:
    assert shared_counter(K2, None) is shared_counter(K2, None)
    assert shared_counter(K2, None) is not shared_counter(K2_5, None)
