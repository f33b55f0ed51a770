from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from langchain_kimi.kimi.families import family
from langchain_kimi.kimi.host_lessons import Learned, Lesson, Lessons
from langchain_kimi.kimi.prompt_forms import PromptForm, default_form, possible_forms

K2 = family("moonshotai/kimi-k2-0905")
JSON, COMPACT, TYPESCRIPT = PromptForm("json"), PromptForm("compact_json"), PromptForm("typescript")
FRAME, OTHER_FRAME = 1, 2


def lesson(tokens: int, frame: int = FRAME, **others: int) -> Lesson:
    """A prompt that has so many tokens in every form, or others with tools in one of these styles."""
    estimates: Mapping[PromptForm, int] = {form: others.get(form.tools, tokens) for form in possible_forms(K2)}
    return Lesson(frame, estimates)


def lessons(*learned: tuple[Lesson, int] | tuple[Lesson, int, str]) -> Lessons:
    taught = Lessons(K2)
    for one in learned:
        taught.learn(Learned(*one))
    return taught


TOOLS = lesson(1_000, compact_json=800, typescript=600)


def test_at_first_a_host_is_as_it_is_known() -> None:
    untaught = Lessons(K2)
    assert untaught.of(None).form == untaught.of("somewhere").form == default_form(K2)
    assert untaught.of("moonshotai").form == PromptForm("typescript", default_system=False)
    assert untaught.of(None).ratio == 1
    assert untaught.of(None).adjusted(70, FRAME) == 70


@pytest.mark.parametrize(("billed", "tools"), [(990, "json"), (810, "compact_json"), (610, "typescript")])
def test_the_form_is_the_one_that_fits(billed: int, tools: str) -> None:
    known = lessons((TOOLS, billed, "somewhere")).of("somewhere")
    assert known.form.tools == tools


def test_a_form_that_fits_hardly_better_is_not_taken() -> None:
    assert lessons((lesson(1_000, compact_json=980), 981)).of(None).form == JSON
    assert lessons(*[(lesson(1_000, compact_json=980), 981)] * 2).of(None).form == COMPACT


def test_each_host_is_learned_for_itself() -> None:
    taught = lessons((TOOLS, 610, "somewhere"), (TOOLS, 990, "elsewhere"))
    assert (taught.of("somewhere").form, taught.of("elsewhere").form) == (TYPESCRIPT, JSON)
    assert taught.of("nowhere").ratio == 1
    # Who is asked without a host is asked for the one of the last call.
    assert taught.of(None).form == JSON
    assert [taught.of(host).host for host in ("somewhere", None)] == ["somewhere", "elsewhere"]
    assert taught.of(None).adjusted(1_000, FRAME) == 990


def test_a_given_form_stays() -> None:
    given = Lessons(K2, TYPESCRIPT)
    given.learn(Learned(Lesson(FRAME, {TYPESCRIPT: 600}), 900, "moonshotai"))
    assert given.forms == (TYPESCRIPT,)
    assert given.of("moonshotai").form == TYPESCRIPT


def test_what_a_host_adds_stays_when_a_conversation_grows() -> None:
    known = lessons((lesson(100), 125)).of(None)
    assert known.adjusted(1_000, FRAME) == 1_025
    # A shorter one has less of what was misjudged in its text.
    assert known.adjusted(50, FRAME) == 62.5


def test_the_newest_prompt_of_a_frame_decides_within_bounds() -> None:
    taught = lessons((lesson(100), 125), (lesson(100), 90))
    assert taught.of(None).adjusted(200, FRAME) == 190
    taught.learn(Learned(lesson(100), 400))
    assert taught.of(None).adjusted(100, FRAME) == 200
    taught.learn(Learned(lesson(100), 30))
    assert taught.of(None).adjusted(100, FRAME) == 50


def test_other_prompts_are_set_right_by_the_ratio() -> None:
    known = lessons((lesson(5_000), 6_000), (lesson(4_800), 5_800)).of(None)
    assert known.ratio == pytest.approx(12_000 / 10_000)
    assert known.adjusted(300, OTHER_FRAME) == pytest.approx(360)
    # Short prompts weigh little.
    assert lessons((lesson(20), 24)).of(None).ratio == pytest.approx(224 / 220)


@pytest.mark.parametrize(
    ("pairs", "ratio"),
    [
        ([(0, 5)], 1.0),
        ([(10_000, 0)], 1.0),
        ([(10_000, 500_000)], 1.0),
        ([(10_000, 1_000)], 1.0),
        ([(10_000, 40_000)], 2.0),
        ([(10_000, 2_500)], 0.5),
        ([(9_800, 39_800)] * 3 + [(9_800, 10_800)] * 32, 1.1),
    ],
)
def test_what_is_learned_has_bounds(pairs: list[tuple[int, int]], ratio: float) -> None:
    taught = lessons(*((lesson(estimated), billed) for estimated, billed in pairs))
    assert taught.of(None).ratio == pytest.approx(ratio, abs=0.01)


def test_what_a_conversation_tells_goes_before_what_others_tell() -> None:
    taught = lessons((TOOLS, 990, "somewhere"))
    known = taught.of("somewhere", Learned(TOOLS, 610))
    assert known.form == TYPESCRIPT
    assert known.adjusted(1_000, FRAME) == 1_010


def test_threads_may_learn_at_once() -> None:
    taught = Lessons(K2)

    def work(_: int) -> float:
        taught.learn(Learned(lesson(9_800), 11_800))
        return taught.of(None).ratio

    with ThreadPoolExecutor(8) as pool:
        assert all(1.19 < ratio < 1.21 for ratio in pool.map(work, range(2_000)))
