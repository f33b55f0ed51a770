"""The emulated batches of Moonshot, as a client without this package sees them."""

import json
from typing import Any

import httpx
import pytest

from langchain_kimi.testing import Emulator, Reply, faults
from tests.plain_http import NO_TLS

ROW = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": "Hello"}]}


def ask(openrouter: Emulator, method: str, path: str, **content: Any) -> httpx.Response:
    url, headers = openrouter.moonshot_url + path, {"Authorization": "Bearer key"}
    return httpx.request(method, url, headers=headers, verify=NO_TLS, **content)


def upload(openrouter: Emulator, *bodies: Any) -> str:
    lines = [{"custom_id": str(n), "method": "POST", "url": "/", "body": body} for n, body in enumerate(bodies)]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    files = {"file": ("a.jsonl", content, "application/jsonl")}
    name: str = ask(openrouter, "POST", "/files", data={"purpose": "batch"}, files=files).json()["id"]
    return name


def submit(openrouter: Emulator, file_id: str, **more: Any) -> httpx.Response:
    body = {"input_file_id": file_id, "endpoint": "/v1/chat/completions", "completion_window": "24h", **more}
    return ask(openrouter, "POST", "/batches", json=body)


def ended(openrouter: Emulator, *bodies: Any) -> Any:
    name = submit(openrouter, upload(openrouter, *bodies)).json()["id"]
    ask(openrouter, "GET", f"/batches/{name}")
    ask(openrouter, "GET", f"/batches/{name}")
    return ask(openrouter, "GET", f"/batches/{name}").json()


def lines(openrouter: Emulator, file_id: str) -> list[Any]:
    return [json.loads(line) for line in ask(openrouter, "GET", f"/files/{file_id}/content").text.splitlines()]


def test_answers_and_errors_are_in_two_files(openrouter: Emulator) -> None:
    openrouter.script(Reply(text="Hi.", reasoning="Hm."), faults.rate_limited())

    batch = ended(openrouter, ROW, ROW)

    [answer], [error] = lines(openrouter, batch["output_file_id"]), lines(openrouter, batch["error_file_id"])
    body = answer["response"]["body"]
    assert (batch["status"], batch["request_counts"]) == ("completed", {"total": 2, "completed": 1, "failed": 1})
    assert body["choices"][0]["message"]["reasoning_content"] == "Hm."
    assert (body["model"], "provider" in body, "cost" in body["usage"]) == ("kimi-k2.6", False, False)
    assert (error["custom_id"], error["response"]) == ("1", None)


def test_broken_lines_and_numbers_are_refused(openrouter: Emulator) -> None:
    files = {"file": ("a.jsonl", b'{"custom_id": "0"', "application/jsonl")}
    name = ask(openrouter, "POST", "/files", data={"purpose": "batch"}, files=files).json()["id"]

    for answer in (submit(openrouter, name), ask(openrouter, "GET", "/batches?limit=many")):
        assert answer.status_code == 400
        assert "not JSON" in answer.text or "limit: expected a number" in answer.text


def test_a_batch_without_errors_has_one_file(openrouter: Emulator) -> None:
    openrouter.behave(reasoning=False)

    batch = ended(openrouter, ROW)

    assert (bool(batch["output_file_id"]), batch["error_file_id"], batch["errors"]) == (True, None, None)


def test_a_file_with_two_models_fails(openrouter: Emulator) -> None:
    batch = ended(openrouter, ROW, {**ROW, "model": "kimi-k2.5"})

    assert (batch["status"], batch["output_file_id"]) == ("failed", None)
    assert "same model" in batch["errors"]["data"][0]["message"]


def test_batches_are_listed_and_cancelled(openrouter: Emulator) -> None:
    name = submit(openrouter, upload(openrouter, ROW), metadata={"key": "k"}).json()["id"]

    assert ask(openrouter, "GET", "/batches").json()["data"][0]["metadata"] == {"key": "k"}
    assert ask(openrouter, "POST", f"/batches/{name}/cancel").json()["status"] == "cancelling"
    assert ask(openrouter, "GET", f"/batches/{name}").json()["status"] == "cancelled"
    assert ask(openrouter, "POST", f"/batches/{name}/cancel").status_code == 400


@pytest.mark.parametrize(
    ("fields", "content"),
    [({"purpose": "assistants"}, b"{}"), ({"purpose": "batch"}, b""), ({}, b"{}")],
)
def test_invalid_files_are_rejected(fields: Any, content: bytes, openrouter: Emulator) -> None:
    reply = ask(openrouter, "POST", "/files", data=fields, files={"file": ("a.jsonl", content)})

    assert reply.status_code == 400


def test_large_files_are_rejected(openrouter: Emulator) -> None:
    openrouter.behave(batch_bytes=10)
    files = {"file": ("a.jsonl", b"{}" * 10)}

    assert ask(openrouter, "POST", "/files", data={"purpose": "batch"}, files=files).status_code == 400


def test_other_requests_are_rejected(openrouter: Emulator) -> None:
    assert ask(openrouter, "POST", "/files", content=b"text").status_code == 400
    assert ask(openrouter, "POST", "/batches", json=[]).status_code == 400
    assert submit(openrouter, "other").status_code == 404
    assert submit(openrouter, "other", completion_window="").status_code == 400
    assert ask(openrouter, "PUT", "/files/a").status_code == 404
    assert httpx.get(f"{openrouter.moonshot_url}/batches").status_code == 401
