import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from langchain_kimi._openrouter.wire import JSONObject, WireMessage, WireToolCall
from langchain_kimi._tokens.counting import Billed, TokenCount, TokenCounter, shared_counter
from langchain_kimi._tokens.estimate import estimate_tokens
from langchain_kimi._tokens.hosts import STYLES, PromptForm
from langchain_kimi._tokens.prompt import IMAGE_TOKENS
from langchain_kimi.errors import KimiUsageError
from tests.tokens.vocabulary import make

K2, K2_5 = "moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.5"
WORDS = ["You", " are", " a", " helpful", " assistant", "Say", " hi", " in", " Portuguese", "Hi", " there"]
PORTUGUESE: list[WireMessage] = [
    {"role": "system", "content": "You are a helpful assistant"},
    {"role": "user", "content": "Say hi in Portuguese"},
]
HI: list[WireMessage] = [{"role": "user", "content": "Hi there!"}]
PARAMETERS = {"type": "object", "properties": {"where": {"type": "string"}, "how": {"enum": ["far", "near"]}}}
TOOLS = [{"type": "function", "function": {"name": "look", "description": "Look.", "parameters": PARAMETERS}}]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without a vocabulary."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    shared_counter.cache_clear()
    return tmp_path


FORMS = [PromptForm(style, default_system=system) for style in STYLES for system in (False, True)]


def exact(home: Path, slug: str = K2, form: PromptForm | None = None) -> TokenCounter:
    made = make(home / "made" / "tiktoken.model", WORDS)
    return TokenCounter(slug, str(made.path), form, sha256=made.sha256)


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
    assert in_form(HI, TOOLS) == in_form(HI, TOOLS, PromptForm("json"))
    spaced, compact, typescript = (in_form(HI, TOOLS, PromptForm(style)) for style in STYLES)
    assert spaced > compact > typescript > 28 + 4


def in_form(messages: Sequence[WireMessage], tools: Sequence[JSONObject], form: PromptForm | None = None) -> int:
    return TokenCounter(K2, form=form).count_messages(messages, tools).tokens


def test_a_host_is_counted_in_its_own_form(home: Path) -> None:
    typescript = PromptForm("typescript", default_system=False)
    for counter in (TokenCounter(K2), exact(home)):
        counts = [counter.count_messages(HI, TOOLS, host=host).tokens for host in ("moonshotai", "groq", None)]
        assert counts[0] < counts[1] == counts[2]
    assert TokenCounter(K2).count_messages(HI, TOOLS, host="moonshotai").tokens == in_form(HI, TOOLS, typescript)


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
    assert TokenCounter(K2).count_text(text) == round(estimate_tokens(text)) == 5
    assert TokenCounter(K2).token_ids(text) == [0, 1, 2, 3, 4]


def test_a_text_may_be_measured_by_others(home: Path) -> None:
    count = exact(home).count_messages(HI, None, lambda text: len(text) / 2)
    assert count == TokenCount(18 + 4 + 3 + 4, exact=False, unadjusted=29)


def test_a_file_that_is_not_the_vocabulary_is_refused(home: Path) -> None:
    made = make(home / "made" / "tiktoken.model", WORDS)
    with pytest.raises(KimiUsageError, match="checksum"):
        TokenCounter(K2, str(made.path))


def test_an_empty_path_is_none() -> None:
    assert TokenCounter(K2, "").count_text("Hi") == 1


LONG: list[WireMessage] = [
    *HI,
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Go on, please. " * 20},
]
WITH_SYSTEM: list[WireMessage] = [{"role": "system", "content": "Be brief."}, *HI]


@pytest.mark.parametrize("form", FORMS)
def test_a_conversation_tells_how_it_is_written(home: Path, form: PromptForm) -> None:
    billed = Billed(1, in_form(HI, TOOLS, form) + 2)
    counted = TokenCounter(K2).count_messages(LONG, TOOLS, billed=billed)
    # Each count is rounded.
    assert counted.tokens == pytest.approx(in_form(LONG, TOOLS, form) + 2, abs=1)


@pytest.mark.parametrize("form", FORMS)
def test_a_vocabulary_gets_the_form_too(home: Path, form: PromptForm) -> None:
    first, all_of_it = (exact(home, form=form).count_messages(messages, TOOLS) for messages in (HI, LONG))
    assert exact(home).count_messages(LONG, TOOLS, billed=Billed(1, first.tokens)) == all_of_it
    assert all_of_it.exact


def test_of_a_short_turn_a_few_tokens_are_no_other_prompt() -> None:
    bare = PromptForm("json", default_system=False)
    counted = TokenCounter(K2).count_messages(LONG, billed=Billed(1, in_form(HI, [], bare) - 3))
    assert counted.tokens == in_form(LONG, [], bare) - 3


IMAGE: list[WireMessage] = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]


@pytest.mark.parametrize("tokens", [400, 4_000])
def test_the_tokens_of_an_image_follow_from_its_turn(tokens: int) -> None:
    messages: list[WireMessage] = [*IMAGE, *LONG[1:]]
    counted = TokenCounter(K2_5).count_messages(messages, billed=Billed(1, tokens)).tokens
    first, all_of_it = (TokenCounter(K2_5).count_messages(some).tokens for some in (IMAGE, messages))
    assert counted == tokens + all_of_it - first


@pytest.mark.parametrize("tokens", [5, 500])
def test_a_turn_that_was_another_prompt_tells_nothing(tokens: int) -> None:
    counted = TokenCounter(K2).count_messages(LONG, TOOLS, billed=Billed(1, tokens))
    assert counted.tokens == in_form(LONG, TOOLS)


def test_an_own_measure_is_not_adjusted() -> None:
    billed = Billed(1, 18 + 4 + 3 + 9 + 3)
    counts = [TokenCounter(K2).count_messages(LONG, None, len, billed=some).tokens for some in (None, billed)]
    assert counts[0] == counts[1]


def test_a_form_that_is_set_stays(home: Path) -> None:
    form = PromptForm("json", default_system=False)
    counted = TokenCounter(K2, form=form).count_messages(LONG, TOOLS, billed=Billed(1, in_form(HI, TOOLS, form) + 2))
    # Each count is rounded.
    assert counted.tokens == pytest.approx(in_form(LONG, TOOLS, form) + 2, abs=1)
    assert counted.unadjusted == in_form(LONG, TOOLS, form)


def test_another_form_must_be_clearly_nearer() -> None:
    spaced, compact = (in_form(LONG, TOOLS, PromptForm(style)) for style in ("json", "compact_json"))
    between = Billed(len(LONG), (spaced + compact) // 2 - 1)
    assert spaced - between.prompt_tokens > between.prompt_tokens - compact > 0
    counted = TokenCounter(K2).count_messages([*LONG, *HI], TOOLS, billed=between)
    assert counted.unadjusted == in_form([*LONG, *HI], TOOLS)


def test_a_shorter_later_turn_gets_a_share_of_the_difference() -> None:
    call: WireToolCall = {"id": "functions.look:0", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    thought: WireMessage = {"role": "assistant", "content": "", "tool_calls": [call], "reasoning": "I look. " * 200}
    loop: list[WireMessage] = [
        *HI,
        thought,
        {"role": "tool", "tool_call_id": "functions.look:0", "content": "A lake."},
    ]
    later: list[WireMessage] = [*loop, {"role": "assistant", "content": "A lake."}, *HI]
    counter = TokenCounter("moonshotai/kimi-k2.5")
    first, second = counter.count_messages(loop, TOOLS).tokens, counter.count_messages(later, TOOLS).tokens
    assert second < first / 2
    counted = counter.count_messages(later, TOOLS, billed=Billed(len(loop), first + 20)).tokens
    assert second < counted == math.ceil(second + 20 * second / first) < second + 20


def test_the_counter_of_a_model_is_shared(home: Path) -> None:
    assert shared_counter(K2, None) is shared_counter(K2, None)
    assert shared_counter(K2, None) is not shared_counter(K2_5, None)


def test_in_a_part_of_a_conversation_a_short_system_message_counts_like_the_default(home: Path) -> None:
    counter = exact(home)
    short: list[WireMessage] = [{"role": "system", "content": "Hi"}, *HI]
    assert counter.count_messages(short, is_part=True).tokens == counter.count_messages(HI, is_part=True).tokens
    assert counter.count_messages(short).tokens < counter.count_messages(HI).tokens
