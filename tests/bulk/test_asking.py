"""One row is asked."""

from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from langchain_kimi import ChatKimi, KimiAuthenticationError, KimiModerationError, KimiPermissionError, KimiUsageError
from langchain_kimi.bulk.admission import OwnAdmission
from langchain_kimi.bulk.asking import ask, is_hopeless, storable, unrenderable
from langchain_kimi.bulk.rate_limiter import Limits
from langchain_kimi.bulk.results import BulkResult, line_of
from langchain_kimi.bulk.rows import Estimates, Row, RunGate
from langchain_kimi.testing import Emulator, Reply, faults


def gate() -> RunGate:
    return RunGate(OwnAdmission(Limits(), None), Estimates())


async def test_an_answer_has_its_model_host_tokens_and_cost(model: ChatKimi, openrouter: Emulator) -> None:
    result, error = await ask(model, Row(3, "k", "hi"), gate(), RunnableConfig(tags=["mine"]))

    assert error is None
    assert (result.key, result.index, result.ok, result.input) == ("k", 3, True, "hi")
    assert result.model
    assert result.provider
    assert result.cost > 0
    assert result.input_tokens > 0
    assert result.seconds > 0


async def test_a_failure_is_a_result_with_its_exception(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(faults.unauthorized())
    earlier = BulkResult("k", 0, cost=0.5, input_tokens=7, output_tokens=8, unknown_costs=1)

    result, error = await ask(model, Row(0, "k", "hi", earlier), gate())

    assert isinstance(error, KimiAuthenticationError)
    assert result.error is not None
    assert result.error.kind == "KimiAuthenticationError"
    assert (result.cost, result.input_tokens, result.output_tokens, result.unknown_costs) == (0.5, 7, 8, 1)


async def test_a_row_has_the_host_of_its_last_call(model: ChatKimi, openrouter: Emulator) -> None:
    openrouter.script(*[Reply(text=name, provider=name) for name in ("Parasail", "Novita")])
    chain = model | (lambda message: [message, HumanMessage("Again.")]) | model

    result, _ = await ask(chain, Row(0, "k", "hi"), gate())

    assert result.provider == "Novita"


def test_some_errors_are_those_of_every_row() -> None:
    assert is_hopeless(KimiPermissionError("no"))
    assert not is_hopeless(KimiModerationError("flagged"))
    assert not is_hopeless(None)


def test_equal_rows_that_cannot_be_rendered_have_equal_keys() -> None:
    one, other = (unrenderable({"a": 1}, index, KeyError("text")) for index in (0, 1))
    assert one.key == other.key != unrenderable({"a": 2}, 0, KeyError("text")).key
    assert one.error is not None
    assert one.error.reason == "The row cannot be rendered: KeyError: 'text'"


def test_an_error_of_this_package_is_its_reason() -> None:
    result = unrenderable({"a": 1}, 0, KimiUsageError("No key."))
    assert result.error is not None
    assert result.error.reason == "The row cannot be rendered: No key."


def test_a_result_is_stored_as_it_is_or_without_a_value_that_is_not_json() -> None:
    good, bad = BulkResult("k", 0, {"a": 1}, cost=0.5), BulkResult("k", 0, {(): 1}, cost=0.5)

    assert storable(good) == (good, line_of(good), None)
    failed, line, problem = storable(bad)

    assert isinstance(problem, TypeError)
    assert (failed.value, failed.cost, line) == (None, 0.5, line_of(failed))
