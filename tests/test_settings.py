import copy
import linecache
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.load import dumpd, dumps, load
from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import SecretStr, ValidationError

from langchain_kimi._calls import connection
from langchain_kimi._openrouter.http.connection import BASE_URL, Timeout
from langchain_kimi._openrouter.parameters.merging import wire_parameters
from langchain_kimi._settings import LIMITER_ARGUMENTS
from langchain_kimi.chat_models import ChatKimi
from langchain_kimi.errors import KimiUsageError
from tests.conftest import KEY

SECRET_HEADER = "planted-header-that-opens-nothing"
OTHER_KEY = "another-planted-key"
LOADS: dict[str, Any] = {
    "allowed_objects": [ChatKimi],
    "valid_namespaces": ["langchain_kimi"],
    "secrets_from_env": True,
}


def planted(**more: Any) -> ChatKimi:
    """A model with something secret wherever there may be something secret."""
    return ChatKimi(api_key=KEY, default_headers={"X-Secret": SECRET_HEADER}, **more)


def holds_secret(text: object) -> bool:
    return KEY in str(text) or SECRET_HEADER in str(text)


# The key


def test_the_key_may_be_an_argument_or_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", OTHER_KEY)
    assert ChatKimi().openrouter_api_key == SecretStr(OTHER_KEY)
    for arguments in ({"api_key": KEY}, {"openrouter_api_key": KEY}, {"api_key": SecretStr(KEY)}):
        model = ChatKimi(**arguments)
        assert model.openrouter_api_key == SecretStr(KEY)


@pytest.mark.parametrize("arguments", [{}, {"api_key": ""}, {"api_key": None}])
def test_a_missing_key_names_where_it_may_be(monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"pass api_key=\.\.\. or set OPENROUTER_API_KEY"):
        ChatKimi(**arguments)
    monkeypatch.setenv("OPENROUTER_API_KEY", "")
    with pytest.raises(KimiUsageError, match="The environment variable OPENROUTER_API_KEY is set, but it is empty"):
        ChatKimi(**arguments)


@pytest.mark.parametrize("key", ["line\nbreak", "two words", "é"])
def test_a_key_that_no_header_can_hold(key: str) -> None:
    with pytest.raises(ValidationError, match="api_key must be printable ASCII") as caught:
        ChatKimi(api_key=key)
    assert key not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    model = planted()
    for shown in (repr(model), str(model), dumps(model), repr(dumpd(model)), model.model_dump_json()):
        assert not holds_secret(shown)
    assert not holds_secret([model.lc_attributes, model._identifying_params, model.asdict()])


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": 3},
        {"max_retries": -1},
        {"streaming": True, "n": 2},
        {"base_url": "nowhere"},
        {"model_kwargs": {"model": "m"}},
        {"app_categories": ["a", "b", "c"]},
        {"timeout": {"idle": 1, "typo": 2}},
        {"timeout": 30_000},
    ],
    ids=str,
)
def test_a_validation_error_repeats_no_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        planted(**wrong)
    error = caught.value
    assert not holds_secret([str(error), repr(error), error.errors(), error.json()])
    assert error.title == "ChatKimi"


def test_a_validation_error_names_every_field() -> None:
    with pytest.raises(ValidationError) as caught:
        ChatKimi(api_key=KEY, temperature=3, max_retries=-1, timeout={"typo": 2})
    assert {one["loc"]: one["type"] for one in caught.value.errors()} == {
        ("temperature",): "value_error",
        ("timeout",): "value_error",
        ("max_retries",): "greater_than_equal",
    }
    assert "timeout has no typo; it takes connect, idle and total." in str(caught.value)


def test_pydantic_rejects_values_that_are_not_dicts() -> None:
    with pytest.raises(ValidationError, match="valid dictionary or instance"):
        ChatKimi.model_validate("nonsense")


@pytest.mark.parametrize("headers", [{"X-Mine": "line\nbreak"}, {"X Mine": "a"}, {"X-Mine": "é"}])
def test_default_headers_that_cannot_be_sent(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="header"):
        ChatKimi(api_key=KEY, default_headers=headers)


# Where it goes


@pytest.mark.parametrize(
    "url",
    [
        "https://openrouter.ai/api/v1",
        "http://127.0.0.1:8080/api/v1",
        "http://127.8.9.10",
        "http://[::1]:8080/v1",
        "http://localhost/v1",
        " https://example.com/v1\n",
    ],
)
def test_base_urls(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    assert ChatKimi(api_key=KEY, base_url=url).openrouter_api_base == url.strip()
    monkeypatch.setenv("OPENROUTER_API_BASE", url)
    assert ChatKimi(api_key=KEY).openrouter_api_base == url.strip()


@pytest.mark.parametrize("arguments", [{}, {"base_url": None}, {"base_url": ""}])
def test_without_a_base_url_it_is_openrouter(monkeypatch: pytest.MonkeyPatch, arguments: Any) -> None:
    assert ChatKimi(api_key=KEY, **arguments).openrouter_api_base == BASE_URL
    monkeypatch.setenv("OPENROUTER_API_BASE", "")
    assert ChatKimi(api_key=KEY, **arguments).openrouter_api_base == BASE_URL


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/v1", "allow_insecure_http"),
        ("http://10.0.0.1/v1", "allow_insecure_http"),
        ("https://user:password@example.com/v1", "must not contain a user name or a password"),
        ("ftp://example.com", "must be an http or https URL"),
        (7, "valid string"),
    ],
)
def test_base_urls_that_are_refused(monkeypatch: pytest.MonkeyPatch, url: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason) as caught:
        ChatKimi(api_key=KEY, base_url=url)
    assert "password@" not in str(caught.value)
    if isinstance(url, str):
        monkeypatch.setenv("OPENROUTER_API_BASE", url)
        with pytest.raises(KimiUsageError, match=rf"The environment variable OPENROUTER_API_BASE.*{reason}"):
            ChatKimi(api_key=KEY)


def test_plain_http_may_be_allowed() -> None:
    model = ChatKimi(api_key=KEY, base_url="http://gateway.internal/v1", allow_insecure_http=True)
    assert connection(model).url == "http://gateway.internal/v1/chat/completions"


# Time


@pytest.mark.parametrize(
    ("arguments", "stored", "limits"),
    [
        (None, None, Timeout()),
        (60, 60.0, Timeout(connect=10, idle=60)),
        (0.5, 0.5, Timeout(connect=0.5, idle=0.5)),
        ({"idle": 5}, {"idle": 5}, Timeout(idle=5)),
        (Timeout(total=9), {"connect": 10.0, "idle": 120.0, "total": 9}, Timeout(total=9)),
    ],
)
def test_timeouts_are_kept_as_plain_values(arguments: Any, stored: Any, limits: Timeout) -> None:
    model = ChatKimi(api_key=KEY, timeout=arguments)
    assert model.request_timeout == stored
    assert connection(model).timeout == limits
    assert connection(model, 7).timeout == Timeout(connect=7, idle=7)


@pytest.mark.parametrize("wrong", [0, -1, True, "30", [], {"idle": 0}, {"connect": None}, {"wait": 3}, 30_000])
def test_timeouts_that_are_none(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="timeout"):
        ChatKimi(api_key=KEY, timeout=wrong)


# Unknown arguments


class MyKimi(ChatKimi):
    """A subclass."""


class MyLoudKimi(ChatKimi):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)


class App:
    def __init__(self) -> None:
        self.model = ChatKimi(api_key=KEY, brand_new=1)


def load_with_more() -> ChatKimi:
    dumped = dumpd(ChatKimi(api_key=KEY))
    dumped["kwargs"]["brand_new"] = 1
    model: ChatKimi = load(dumped, **LOADS)
    return model


@pytest.mark.parametrize(
    ("construct", "line"),
    [
        (lambda: ChatKimi(api_key=KEY, brand_new=1), "lambda: ChatKimi("),
        (lambda: MyKimi(api_key=KEY, brand_new=1), "lambda: MyKimi("),
        (lambda: MyLoudKimi(api_key=KEY, brand_new=1), "lambda: MyLoudKimi("),
        (lambda: ChatKimi.model_validate({"api_key": KEY, "brand_new": 1}), "lambda: ChatKimi.model_validate("),
        (lambda: App().model, "self.model = ChatKimi("),
        (load_with_more, "= load("),
    ],
)
def test_the_warning_of_an_unknown_argument_points_at_the_users_line(
    monkeypatch: pytest.MonkeyPatch, construct: Callable[[], ChatKimi], line: str
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = construct()
    assert model.model_kwargs == {"brand_new": 1}
    [warning] = [one for one in caught if "brand_new" in str(one.message)]
    assert warning.filename == __file__
    assert line in linecache.getline(warning.filename, warning.lineno)


def test_model_kwargs_and_unknown_arguments_are_put_together() -> None:
    arguments = {"brand_new": 1}
    with pytest.warns(UserWarning, match="newer is not a parameter that this package knows"):
        model = ChatKimi(api_key=KEY, model_kwargs=arguments, newer=2)
    assert model.model_kwargs == {"brand_new": 1, "newer": 2}
    assert arguments == {"brand_new": 1}


def test_parameters_in_model_kwargs_are_arguments() -> None:
    """Users of ChatOpenRouter put other parameters there."""
    model = ChatKimi(api_key=KEY, model_kwargs={"top_k": 3, "stop_sequences": ["a"], "brand_new": 1})
    assert (model.top_k, model.stop, model.model_kwargs) == (3, ["a"], {"brand_new": 1})


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"model_kwargs": {"timeout": 1, "model": "m"}}, "model, timeout: pass these as arguments"),
        ({"model_kwargs": {"metadata": {"a": "b"}}}, "metadata: pass these as arguments"),
        ({"model_kwargs": {"temperature": 1}, "temperature": 0}, "temperature: pass these as arguments"),
        ({"model_kwargs": {"stop_sequences": ["a"]}, "stop": ["b"]}, "an alias of stop, which has a different value"),
        ({"model_kwargs": {"temperature": 3}}, "must be a number from 0 to 2"),
        ({"model_kwargs": ["temperature"]}, "model_kwargs must be a dict, not list"),
        ({"model_kwargs": {"brand_new": 1}, "brand_new": 2}, "brand_new: passed twice"),
        ({"stream": True}, "stream is not a parameter: call .stream()"),
        ({"model_kwargs": {"messages": []}}, "messages is not a parameter"),
        ({"openai_api_key": "planted"}, "openai_api_key is not a parameter: pass the key as api_key"),
        ({"model_kwargs": {"moonshot_api_key": "planted"}}, "moonshot_api_key is not a parameter"),
        ({"openai_api_base": "https://example.com"}, "openai_api_base is not a parameter: pass it as base_url"),
        ({"extra_headers": {"X-Key": "a"}}, "extra_headers is not a parameter: pass them as default_headers"),
        ({"extra_query": {"key": "a"}}, "extra_query is not a parameter: put what the server needs into base_url"),
        ({"openai_proxy": "http://user:word@proxy"}, "openai_proxy is not a parameter: pass it as proxy"),
        ({"root_async_client": 1}, "root_async_client is not a parameter: pass an HTTP client as http_client"),
        ({"client": object()}, "client is not a parameter: pass an HTTP client as http_client"),
    ],
)
def test_model_kwargs_reject_names_that_are_not_parameters(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ChatKimi(api_key=KEY, **arguments)


@pytest.mark.parametrize("wrong", [["a", "b", "c"], ["x" * 31]])
def test_categories_that_openrouter_refuses(wrong: list[str]) -> None:
    with pytest.raises(ValidationError, match="at most 2 categories of at most 30 characters"):
        ChatKimi(api_key=KEY, app_categories=wrong)


def test_the_model_has_two_names() -> None:
    model = ChatKimi(api_key=KEY, model_name="moonshotai/kimi-k2.5")
    assert model.model == model.model_name == "moonshotai/kimi-k2.5"


# Assignments


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("temperature", 5, "must be a number from 0 to 2"),
        ("max_retries", -1, "greater than or equal to 0"),
        ("provider", {"onyl": ["a"]}, "did you mean 'only'"),
        ("model", 5, "valid string"),
        ("api_key", "two words", "api_key must be printable"),
        ("base_url", "nowhere", "base_url must be an http"),
        ("stop_sequences", ["a"] * 5, "at most 4"),
        ("top_logprobs", 3, "requires logprobs"),
    ],
)
def test_assignments_are_checked(name: str, value: Any, error: str) -> None:
    model = planted(temperature=0.5)
    before = dict(model.__dict__)
    with pytest.raises(ValidationError, match=error) as caught:
        setattr(model, name, value)
    assert model.__dict__ == before
    assert not holds_secret(caught.value)


def test_assignments_change_the_model_as_the_constructor_does() -> None:
    model = planted()
    model.temperature, model.provider, model.stop_sequences = 1, {"only": ["novita"]}, ["a"]
    model.model, model.api_key = "moonshotai/kimi-k3", f"{OTHER_KEY}\n"
    assert wire_parameters(model) == {"provider": {"only": ["novita"]}, "temperature": 1.0, "stop": ["a"]}
    assert model.model_name == "moonshotai/kimi-k3"
    assert model.openrouter_api_key == SecretStr(OTHER_KEY)
    assert {"temperature", "stop", "model_name"} <= model.model_fields_set
    model.host = "vllm"
    assert model.openrouter_api_base == "http://localhost:8000/v1"
    model.cache, model.tags = False, ["a"]
    assert (model.cache, model.tags) == (False, ["a"])


@pytest.mark.parametrize(
    ("name", "meant"), [("temprature", "temperature"), ("max_token", "max_tokens"), ("api_keys", "api_key")]
)
def test_a_likely_typo_is_named(name: str, meant: str) -> None:
    with pytest.warns(UserWarning, match=f"{name} is not a parameter .* did you mean {meant}?"):
        ChatKimi(api_key=KEY, **{name: "0.1"})


def test_a_rate_limiter_starts_again_in_a_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    limiter = InMemoryRateLimiter(requests_per_second=2, check_every_n_seconds=0.01, max_bucket_size=3)
    model = ChatKimi(rate_limiter=limiter)
    assert limiter.acquire(blocking=False) is False
    loaded = pickle.loads(pickle.dumps(model.bind(seed=1))).bound.rate_limiter  # noqa: S301 - our own bytes
    assert isinstance(loaded, InMemoryRateLimiter)
    assert loaded is not limiter
    assert [getattr(loaded, name) for name in LIMITER_ARGUMENTS] == [2, 0.01, 3]
    assert copy.deepcopy(model).rate_limiter is limiter
    assert pickle.loads(pickle.dumps(ChatKimi())).rate_limiter is None  # noqa: S301 - our own bytes


@pytest.mark.parametrize("checks", [True, False])
def test_calls_are_checked_if_that_is_wanted(checks: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ChatKimi(api_key=KEY, validate_tool_calls=checks).validate_tool_calls is checks


def test_traces_show_the_changed_settings() -> None:
    model = ChatKimi(api_key=KEY, temperature=0.1)
    assert model._serialized["kwargs"]["temperature"] == 0.1
    assert model.model_copy(update={"temperature": 0.2})._serialized["kwargs"]["temperature"] == 0.2
    model.max_retries = 5
    assert model._serialized["kwargs"]["max_retries"] == 5
