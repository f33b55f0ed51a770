"""The emulated batches of OpenRouter, as a client without this package sees them."""

from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Reply, faults
from tests.plain_http import NO_TLS
from tests.rows import each_row

MODEL = "moonshotai/kimi-k2-0905"
MESSAGES = {"messages": [{"role": "user", "content": "Hello"}]}
ROW: dict[str, Any] = {"custom_id": "a", "body": MESSAGES}
HEAD: dict[str, Any] = {"endpoint": "/v1/chat/completions", "model": MODEL}
BODY: dict[str, Any] = {**HEAD, "requests": [ROW]}


def ask(openrouter: Emulator, method: str, path: str = "", body: Any = None, base: str = "") -> httpx.Response:
    url = f"{base or openrouter.base_url}/batches{path}"
    return httpx.request(method, url, json=body, headers={"Authorization": "Bearer key"}, verify=NO_TLS)


def finished(openrouter: Emulator, body: Any = None) -> Any:
    name = ask(openrouter, "POST", body=body or BODY).json()["id"]
    ask(openrouter, "GET", f"/{name}")
    return ask(openrouter, "GET", f"/{name}").json()


def test_a_batch_is_accepted_runs_and_has_results(openrouter: Emulator) -> None:
    accepted = ask(openrouter, "POST", body=BODY)
    running = ask(openrouter, "GET", f"/{accepted.json()['id']}").json()
    ended = ask(openrouter, "GET", f"/{accepted.json()['id']}").json()

    assert (accepted.status_code, accepted.json()["status"], accepted.json()["results"]) == (202, "validating", None)
    assert (running["status"], running["usage"]) == ("in_progress", None)
    assert (ended["status"], ended["request_counts"]) == ("completed", {"total": 1, "completed": 1, "failed": 0})
    assert ended["results"][0]["response"]["body"]["choices"][0]["message"]["content"].startswith("You said: Hello")
    assert ended["usage"]["cost"] > 0


def test_the_older_address_works_too(openrouter: Emulator) -> None:
    base = openrouter.base_url.replace("/v1", "/beta")

    assert ask(openrouter, "POST", body=BODY, base=base).status_code == 202


REJECTED: dict[str, tuple[Any, int]] = {
    "not JSON": (None, 400),
    "requests first": ({"requests": [ROW], **HEAD}, 400),
    "no endpoint": ({"model": MODEL, "requests": [ROW]}, 400),
    "another endpoint": ({**BODY, "endpoint": "/v1/other"}, 400),
    "another window": ({**HEAD, "completion_window": "3d", "requests": [ROW]}, 400),
    "no model": ({**BODY, "model": "kimi"}, 400),
    "another model in a row": ({**BODY, "requests": [{**ROW, "body": {**MESSAGES, "model": "a/b"}}]}, 400),
    "too many rows": ({**BODY, "requests": [{**ROW, "custom_id": str(n)} for n in range(5_001)]}, 413),
    "preferences": ({**HEAD, "provider": {"zdr": True}, "requests": [ROW]}, 400),
    "no provider": ({**HEAD, "provider": {"only": ["nobody"]}, "requests": [ROW]}, 404),
}


@each_row("body, status", REJECTED.values(), ids=REJECTED)
def test_invalid_submissions_are_rejected(body: Any, status: int, openrouter: Emulator) -> None:
    assert ask(openrouter, "POST", body=body).status_code == status


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
AUDIO = {"type": "input_audio", "input_audio": {}}


@pytest.mark.parametrize(
    "body",
    [
        {**MESSAGES, "stream": True},
        {"messages": [{"role": "user", "content": [IMAGE]}]},
        {"messages": [{"role": "user", "content": [AUDIO]}]},
    ],
)
def test_an_unsupported_row_fails_the_whole_batch(body: Any, openrouter: Emulator) -> None:
    name = ask(openrouter, "POST", body={**BODY, "requests": [ROW, {"custom_id": "b", "body": body}]}).json()["id"]

    ended = ask(openrouter, "GET", f"/{name}").json()

    assert (ended["status"], ended["results"]) == ("failed", None)
    assert "not support" in ended["error"]["message"]


def test_rows_are_answered_from_the_script(openrouter: Emulator) -> None:
    openrouter.script(Reply(text="one"), faults.invalid_json(), faults.rate_limited())
    rows = [{**ROW, "custom_id": name} for name in "abc"]

    results = finished(openrouter, {**BODY, "requests": rows, "provider": {"only": ["novita"]}})["results"]

    assert results[0]["response"]["body"]["provider"] == "Novita"
    assert results[1]["error"]["message"] == "The provider's reply is broken."
    assert results[2]["error"]["code"] == 429


def test_invalid_rows_are_errors_of_their_own(openrouter: Emulator) -> None:
    assert finished(openrouter, {**BODY, "requests": [{"custom_id": "a", "body": {}}]})["results"][0]["error"]


def test_batches_are_listed_and_deleted(openrouter: Emulator) -> None:
    assert ask(openrouter, "GET").json()["first_id"] is None
    name = ask(openrouter, "POST", body=BODY).json()["id"]

    listed = ask(openrouter, "GET").json()
    assert (listed["data"][0]["id"], listed["last_id"], listed["has_more"]) == (name, name, False)
    assert ask(openrouter, "DELETE", f"/{name}").status_code == 409
    ask(openrouter, "GET")
    assert ask(openrouter, "DELETE", f"/{name}").json()["deletion"] == {"openrouter": "deleted"}
    assert ask(openrouter, "GET", f"/{name}").status_code == 404
    assert ask(openrouter, "POST", f"/{name}/cancel").status_code == 405


def test_results_have_pages(openrouter: Emulator) -> None:
    openrouter.behave(batch_page=1)
    rows = [{**ROW, "custom_id": name} for name in "ab"]
    name = ask(openrouter, "POST", body={**BODY, "requests": rows}).json()["id"]

    assert ask(openrouter, "GET", f"/{name}/results").status_code == 404
    ask(openrouter, "GET", f"/{name}")
    assert ask(openrouter, "GET", f"/{name}").json()["results"] is None
    page = ask(openrouter, "GET", f"/{name}/results").json()
    assert (page["data"][0]["custom_id"], page["next_cursor"]) == ("a", "1")
    assert ask(openrouter, "GET", f"/{name}/results?cursor=1").json()["next_cursor"] is None


def test_withheld_results_are_refused(openrouter: Emulator) -> None:
    openrouter.script_batches(faults.results_unpaid())

    ended = finished(openrouter)

    assert (ended["status"], ended["results"], ended["error"]["code"]) == ("completed", None, 402)
