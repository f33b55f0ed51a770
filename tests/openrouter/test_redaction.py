import pickle
import traceback
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from langchain_kimi._openrouter.redaction import REPLACEMENT, Redactor, secrets_of
from langchain_kimi.errors import KimiConnectionError, KimiServerError, RawReply

KEY = "planted-key/with+signs&more"
SECRETS = secrets_of({"Authorization": f"Bearer {KEY}", "X-Tenant": "tenant-secret-7", "X-Short": "abc"})


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        f"Bearer {KEY}",
        "planted-key%2Fwith%2Bsigns%26more",
        "planted-key/with+signs&amp;more",
        "tenant-secret-7",
        "sk-or-" + "v1-0123456789abcdef",
        "sk-ant-api03-abcdefghijkl",
        "gsk_abcdefghijklmnop",
        "AIza0123456789012345678901234567890123",
        "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
        "Basic dXNlcjpwYXNzd29yZA==",
        "http://user:pass@proxy.example",
        "https://host.example/v1?api_key=planted",
        "org_" + "Planted0" * 3,
        "user_" + "2abcDEF3ghi",
    ],
)
def test_a_secret_is_removed_in_every_form(form: str) -> None:
    cleaned = Redactor(SECRETS).text(f"before {form} after")
    assert cleaned.startswith("before ")
    assert cleaned.endswith("after")
    assert form not in cleaned
    assert "planted" not in cleaned
    assert REPLACEMENT in cleaned


def test_a_secret_that_contains_another_one_is_removed_completely() -> None:
    redactor = Redactor(["planted-key", "planted-key/with+signs&more"])
    assert redactor.text("planted-key/with+signs&more, planted-key") == f"{REPLACEMENT}, {REPLACEMENT}"


@pytest.mark.parametrize("text", ["abc", "the task-list is long", "https://example.com/a:b@c", "bearer of news", ""])
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert Redactor(SECRETS).text(text) == text


def test_public_headers_are_not_secrets() -> None:
    assert secrets_of({"Content-Type": "application/json", "X-Title": "My application"}) == []


def test_the_password_of_a_url_is_a_secret() -> None:
    assert secrets_of({}, "http://user:pass%40word@proxy.example:8080", None, "http://[broken") == [
        "pass%40word",
        "pass@word",
    ]


def test_a_key_in_the_path_of_a_url_is_a_secret() -> None:
    assert secrets_of({}, "https://gateway.example/v1/0123456789abcdef/chat/completions") == ["0123456789abcdef"]


@pytest.mark.parametrize("kind", [AIMessage, AIMessageChunk])
def test_the_partial_message_of_an_error_contains_no_secret_of_the_call(kind: type[AIMessage]) -> None:
    other = "sk-or-" + "v1-0123456789abcdef"
    partial = kind(f"{KEY} and {other}", additional_kwargs={"reasoning": KEY}, response_metadata={"model": "m"})
    error = KimiConnectionError("x", partial=partial)
    Redactor(SECRETS).error(error)
    assert error.partial is not None
    assert type(error.partial) is kind
    # The words of the model are not changed further.
    assert error.partial.content == f"{REPLACEMENT} and {other}"
    assert error.partial.additional_kwargs == {"reasoning": REPLACEMENT}
    assert error.partial.response_metadata == {"model": "m"}


def test_json_values_are_cleaned_in_keys_and_values() -> None:
    value: Any = {KEY: [KEY, 1, None, ("x", KEY)]}
    assert Redactor(SECRETS).value(value) == {REPLACEMENT: [REPLACEMENT, 1, None, ("x", REPLACEMENT)]}


def test_values_nested_too_deeply_are_dropped() -> None:
    value: Any = KEY
    for level in range(200):
        value = [value] if level % 2 else {"a": value}
    assert KEY not in repr(Redactor(SECRETS).value(value))


def failed() -> KimiServerError:
    """Return an error that repeats the key wherever an upstream could put it."""
    request = httpx.Request("POST", "http://localhost/", headers={"Authorization": f"Bearer {KEY}", "Accept": "*/*"})
    error = KimiServerError(
        f"It failed: {KEY}",
        advice=f"Check {KEY}.",
        provider=KEY,
        raw={"echo": KEY},
        metadata={"headers": {"authorization": KEY}},
        usage={"prompt_tokens": 1, "account": KEY},
        response=RawReply(500, {"x-echo": KEY}, f"<pre>{KEY}</pre>"),
    )
    error.__cause__ = httpx.ReadError(f"broken {KEY}", request=request)
    return error


def test_an_error_its_pickle_and_its_causes_contain_no_secret() -> None:
    error = failed()
    Redactor(SECRETS).error(error)
    cause: Any = error.__cause__
    texts = [
        str(error),
        repr(error),
        repr(error.args),
        repr(vars(error)),
        "".join(traceback.format_exception(error)),
        repr(pickle.loads(pickle.dumps(error)).__dict__),  # noqa: S301 - our own pickle
        str(cause),
        repr(cause.request.headers.raw),
    ]
    assert [text for text in texts if KEY in text] == []
    assert "It failed" in str(error)
    assert cause.request.headers["accept"] == "*/*"


def test_a_chain_of_causes_may_contain_a_cycle() -> None:
    first, second = ValueError(KEY), ValueError(KEY)
    first.__cause__, second.__cause__ = second, first
    error = KimiConnectionError("x")
    error.__cause__ = first
    Redactor(SECRETS).error(error)
    assert (str(first), str(second)) == (REPLACEMENT, REPLACEMENT)


def test_without_secrets_keys_are_still_recognized() -> None:
    assert Redactor().text("sk-or-" + "v1-0123456789abcdef") == REPLACEMENT


def test_the_causes_of_an_error_of_this_package_are_cleaned_too() -> None:
    error, earlier, first = KimiConnectionError("x"), KimiServerError("y"), ValueError(KEY)
    error.__cause__, earlier.__cause__ = earlier, first
    Redactor(SECRETS).error(error)
    assert str(first) == REPLACEMENT


def test_a_value_is_cleaned_to_a_limited_depth() -> None:
    value = {KEY: {"a": {"b": KEY}}}
    assert Redactor(SECRETS).value(value) == {REPLACEMENT: {"a": {"b": REPLACEMENT}}}
    assert Redactor(SECRETS).value(value, 2) == {REPLACEMENT: {"a": {}}}


def test_the_variables_of_other_programs_stay_in_tracebacks() -> None:
    def of_the_user() -> None:
        amount = 7
        raise LookupError(str(amount))

    error = KimiConnectionError("failed")
    try:
        of_the_user()
    except LookupError as own:
        error.__context__ = own
        trace = own.__traceback__
    Redactor().error(error)
    frames = [frame for frame, _ in traceback.walk_tb(trace)]
    assert frames[-1].f_locals == {"amount": 7}


def test_a_frame_that_still_runs_is_left_alone() -> None:
    namespace = {"__name__": "langchain_kimi.x", "Redactor": Redactor, "kind": KimiConnectionError}
    exec(  # noqa: S102 - a function of a module of the package
        "def run():\n"
        "    secret = 7\n"
        "    try:\n"
        "        raise kind('failed')\n"
        "    except kind as error:\n"
        "        Redactor().error(error)\n"
        "        return secret\n",
        namespace,
    )
    run: Any = namespace["run"]
    assert run() == 7
