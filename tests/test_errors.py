import copy
import json
import pickle
import traceback
from typing import Any

import pytest
from langchain_core import exceptions as core
from langchain_core.messages import AIMessage

from langchain_kimi import errors
from langchain_kimi.errors import KimiError, KimiServerError, KimiStructuredOutputError, RawReply

TREE: dict[type[KimiError], tuple[type[Exception], ...]] = {
    errors.KimiError: (core.ModelError,),
    errors.KimiUsageError: (errors.KimiError, core.ModelInvalidRequestError, ValueError),
    errors.KimiBudgetExceededError: (errors.KimiUsageError,),
    errors.KimiConnectionError: (errors.KimiError, core.ModelConnectionError),
    errors.KimiTimeoutError: (errors.KimiConnectionError, core.ModelTimeoutError),
    errors.KimiStatusError: (errors.KimiError,),
    errors.KimiInvalidRequestError: (errors.KimiStatusError, core.ModelInvalidRequestError, ValueError),
    errors.KimiContextOverflowError: (errors.KimiInvalidRequestError, core.ContextOverflowError),
    errors.KimiAuthenticationError: (errors.KimiStatusError, core.ModelAuthenticationError, ValueError),
    errors.KimiPaymentRequiredError: (errors.KimiStatusError, core.ModelPermissionDeniedError, ValueError),
    errors.KimiPermissionError: (errors.KimiStatusError, core.ModelPermissionDeniedError, ValueError),
    errors.KimiModerationError: (errors.KimiPermissionError,),
    errors.KimiNotFoundError: (errors.KimiStatusError, core.ModelNotFoundError, ValueError),
    errors.KimiRateLimitError: (errors.KimiStatusError, core.ModelRateLimitError),
    errors.KimiUnexpectedStatusError: (errors.KimiStatusError, ValueError),
    errors.KimiServerError: (errors.KimiStatusError, core.ModelAPIError),
    errors.KimiReplyError: (errors.KimiError, core.ModelAPIError),
    errors.KimiMalformedReplyError: (errors.KimiReplyError,),
    errors.KimiReplyTooLargeError: (errors.KimiReplyError,),
    errors.KimiIncompleteStreamError: (errors.KimiReplyError,),
    errors.KimiEmptyReplyError: (errors.KimiReplyError,),
    errors.KimiStructuredOutputError: (errors.KimiReplyError, core.OutputParserException),
    errors.KimiRefusalError: (
        errors.KimiStructuredOutputError,
        getattr(core, "ModelRefusalError", core.ModelError),
    ),
}
RETRYABLE = {
    errors.KimiConnectionError,
    errors.KimiTimeoutError,
    errors.KimiRateLimitError,
    errors.KimiServerError,
    errors.KimiReplyError,
    errors.KimiMalformedReplyError,
    errors.KimiReplyTooLargeError,
    errors.KimiIncompleteStreamError,
    errors.KimiEmptyReplyError,
    errors.KimiStructuredOutputError,
}
DETAILS: Any = {
    "advice": "Wait a little.",
    "status": 429,
    "code": "rate_limit",
    "error_type": "rate_limit_exceeded",
    "model": "moonshotai/kimi-k2-0905",
    "provider": "Groq",
    "raw": {"message": "slow down"},
    "metadata": {"provider_name": "Groq"},
    "availability": {"retryable": True},
    "generation_id": "gen-1",
    "retry_after": 2.0,
    "is_retryable": False,
    "response": RawReply(429, {"retry-after": "2"}, "{}"),
    "partial": AIMessage("Hel"),
    "usage": {"cost": 0.1},
    "attempts": (KimiServerError("first"),),
}


OWN_ARGUMENTS: dict[type[KimiError], dict[str, Any]] = {
    errors.KimiBudgetExceededError: {"spent": 1.5, "limit": 1.0, "unit": "USD"},
    KimiStructuredOutputError: {"cause": "bad_json", "text": "{", "position": 1},
}


def made(kind: type[KimiError], reason: str = "It failed.", **details: Any) -> KimiError:
    return kind(reason, **OWN_ARGUMENTS.get(kind, {}), **details)


def test_the_docstring_draws_the_whole_tree() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, KimiError)}
    assert kinds == set(TREE)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)


@pytest.mark.parametrize(("kind", "bases"), TREE.items())
def test_each_error_class_is_one_of_langchains(kind: type[KimiError], bases: tuple[type[Exception], ...]) -> None:
    assert kind.__bases__ == bases
    error = made(kind)
    assert isinstance(error, core.ModelError)
    assert error.is_retryable is (kind in RETRYABLE)
    with pytest.raises(bases[-1]):
        raise error


@pytest.mark.parametrize("kind", TREE)
def test_details_are_attributes_of_the_error(kind: type[KimiError]) -> None:
    plain, detailed = made(kind), made(kind, **DETAILS)
    for name, value in DETAILS.items():
        assert getattr(detailed, name) == value
        assert name == "is_retryable" or not getattr(plain, name)
    assert (detailed.status_code, detailed.request_id) == (429, "gen-1")
    assert (plain.status_code, plain.request_id) == (None, None)


def test_a_traceback_ends_with_the_command_that_explains_the_error() -> None:
    class OwnError(KimiServerError):
        """A class of a user."""

    for error in (KimiServerError("It failed."), OwnError("It failed.")):
        *_, text, note = traceback.format_exception(error)
        assert text.endswith("It failed.\n")
        assert note == "Cause and remedy: python -m langchain_kimi explain KimiServerError\n"
        assert error.help in note
        assert "explain" not in str(error)


@pytest.mark.parametrize("kind", TREE)
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301 - our own pickle
def test_an_error_can_be_copied_and_pickled(kind: type[KimiError], again: Any) -> None:
    error = made(kind, **DETAILS)
    error.add_note("on the way")
    twin = again(error)
    assert type(twin) is kind
    assert (twin.reason, str(twin), twin.args) == (error.reason, str(error), error.args)
    for name, value in (DETAILS | OWN_ARGUMENTS.get(kind, {})).items():
        assert name == "attempts" or getattr(twin, name) == value
    assert [str(attempt) for attempt in twin.attempts] == ["first"]
    assert twin.__notes__ == error.__notes__
    assert twin.__notes__[1:] == ["on the way"]


def test_details_can_be_set_later() -> None:
    error = KimiServerError("It failed.", status=502)
    error.update(provider="Novita", status=503)
    assert str(error) == "It failed. (HTTP 503, provider Novita)"


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({}, "It failed."),
        ({"advice": "Do this."}, "It failed. Do this."),
        ({"status": 502, "advice": "Do this."}, "It failed. (HTTP 502) Do this."),
        ({"provider": "Groq", "model": "m"}, "It failed. (provider Groq, model m)"),
        ({"generation_id": "gen-1"}, "It failed. (generation gen-1)"),
        ({"attempts": (KimiServerError("a"), KimiServerError("b"))}, "It failed. (after 3 attempts)"),
        ({"raw": {"key": "x"}, "metadata": {"flagged_input": "x"}, "usage": {"cost": 1}}, "It failed."),
    ],
)
def test_the_text_begins_with_the_reason_and_ends_with_the_advice(details: Any, text: str) -> None:
    assert str(KimiError("It failed.", **details)) == text


def test_blanks_around_a_reason_are_not_shown() -> None:
    assert str(KimiError(" It failed. \n", status=500)) == "It failed. (HTTP 500)"


def test_a_raw_reply_has_the_attributes_that_tracers_read() -> None:
    raw = RawReply(400, {"x": "y"}, '{"error": {"code": 400}}')
    assert (raw.status_code, raw.headers, raw.json()) == (400, {"x": "y"}, {"error": {"code": 400}})
    with pytest.raises(json.JSONDecodeError):
        RawReply(502, text="<html>").json()


@pytest.mark.parametrize(
    ("cause", "retryable"),
    [("refusal", False), ("length", False), ("empty", True), ("no_call", True), ("bad_json", True), ("invalid", True)],
)
def test_the_cause_decides_whether_structured_output_is_retryable(cause: Any, *, retryable: bool) -> None:
    assert KimiStructuredOutputError("x", cause=cause).is_retryable is retryable
    assert KimiStructuredOutputError("x", cause=cause, is_retryable=not retryable).is_retryable is not retryable


def test_a_structured_output_error_keeps_the_text_and_the_validation_errors() -> None:
    listed = [{"type": "missing", "loc": ("a",), "msg": "Field required"}]
    error = KimiStructuredOutputError("x", cause="invalid", text="{}", position=1, validation_errors=listed)
    for one in (error, pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own pickle
        assert (one.cause, one.text, one.llm_output, one.position) == ("invalid", "{}", "{}", 1)
        assert one.validation_errors == tuple(listed)
        assert str(one) == "x"


@pytest.mark.parametrize("kind", TREE)
def test_an_exception_that_inherits_and_looks_up_the_rest_has_every_attribute(kind: type[KimiError]) -> None:
    """Ray raises such an exception for a failed task, with its own `cause`."""
    original = made(kind, **DETAILS)

    class Combined(kind):  # type: ignore[misc, valid-type]  # made for each error
        def __init__(self) -> None:
            self.cause = original

        def __getattr__(self, name: str) -> Any:
            return getattr(self.cause, name)

    combined = Combined()
    for name, value in vars(original).items():
        if name != "cause":
            assert getattr(combined, name) == value, name
    assert (combined.status_code, combined.request_id) == (original.status_code, original.request_id)
    assert str(combined) == str(original)


@pytest.mark.parametrize("cause", ["refusal", "length", "empty", "no_call", "bad_json", "invalid"])
def test_the_cause_has_a_second_name(cause: Any) -> None:
    error = KimiStructuredOutputError("x", cause=cause)
    from_json = KimiStructuredOutputError(*json.loads(json.dumps(error.args)))
    for one in (error, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error)), from_json):  # noqa: S301 - our own pickle
        assert one.failure == one.cause == cause


def test_the_raw_message_of_a_refusal_is_its_partial_message() -> None:
    first, second = AIMessage("No."), AIMessage("Never.")
    error = errors.KimiRefusalError("x", partial=first)
    assert error.raw_message is first
    error.raw_message = second
    assert error.partial is second


def test_whether_an_error_is_retryable_is_an_attribute_of_the_instance() -> None:
    """Ray creates errors without `__init__`, and looks up on the original error what they do not have."""
    assert not hasattr(KimiServerError.__new__(KimiServerError), "is_retryable")
    assert KimiServerError("x").is_retryable is KimiServerError.is_retryable
