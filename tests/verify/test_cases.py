import json
from pathlib import Path
from typing import Any

import pytest

from langchain_kimi import ChatKimi
from langchain_kimi.errors import KimiUsageError
from langchain_kimi.verify import load_cases, packaged_cases
from tests.conftest import KEY
from tests.verify.answers import WEATHER

ASKED = [{"role": "user", "content": "Hello"}]


def load(tmp_path: Path, *rows: Any) -> Any:
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    return load_cases(file)


def test_cases_may_contain_any_character_and_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    text = "one\N{LINE SEPARATOR}two\N{NEXT LINE}three"
    row = json.dumps({"messages": [{"role": "user", "content": text}]}, ensure_ascii=False)
    file = tmp_path / "cases.jsonl"
    file.write_bytes(f"\N{ZERO WIDTH NO-BREAK SPACE}{row}\r\n{row}".encode())
    assert [case.messages[0]["content"] for case in load_cases(file)] == [text, text]


def test_the_packaged_cases_can_be_sent() -> None:
    cases = packaged_cases()
    assert {case.call for case in cases} == {True, False}
    assert len({case.key for case in cases}) == len(cases)
    model = ChatKimi(api_key=KEY)
    for case in cases:
        assert case.name
        arguments: Any = {**case.parameters, **({"tools": case.tools} if case.tools else {})}
        assert model.request_body(case.messages, **arguments)["messages"]


def test_a_request_of_moonshots_verifier_is_read(tmp_path: Path) -> None:
    row = {
        "messages": [{"role": "_input", "content": "Be brief."}, *ASKED],
        "tools": [WEATHER],
        "temperature": 0.6,
        "model": "kimi",
        "stream": True,
    }
    [case] = load(tmp_path, row)
    assert case.messages[0] == {"role": "system", "content": "Be brief."}
    assert (case.tools, case.parameters, case.call, case.name) == (
        [WEATHER],
        {"temperature": 0.6},
        None,
        "cases.jsonl:1",
    )


@pytest.mark.parametrize(
    ("more", "call"),
    [
        ({"call": True}, True),
        ({"response": {"choices": [{"message": {"tool_calls": [{"id": "a"}]}}]}}, True),
        ({"response": {"choices": [{"message": {"content": "Hi."}}]}}, False),
        ({}, None),
    ],
)
def test_the_expected_answer_decides_whether_a_call_is_due(tmp_path: Path, more: dict[str, Any], call: object) -> None:
    assert load(tmp_path, {"messages": ASKED, **more})[0].call is call


def test_a_run_of_langsmith_is_read(tmp_path: Path) -> None:
    human = {"id": ["langchain", "schema", "messages", "HumanMessage"], "kwargs": {"content": "Hello"}}
    generations = [[{"message": {"kwargs": {"tool_calls": [{"name": "get_weather"}]}}}]]
    row = {
        "name": "ChatKimi",
        "inputs": {"messages": [[human, {"type": "ai", "content": "Hi."}]]},
        "outputs": {"generations": generations},
        "extra": {"invocation_params": {"tools": [WEATHER]}},
    }
    [case] = load(tmp_path, row)
    assert case.messages == [*ASKED, {"role": "assistant", "content": "Hi."}]
    assert (case.tools, case.call, case.parameters) == ([WEATHER], True, {})


@pytest.mark.parametrize("row", [{}, {"messages": []}, [], {"messages": ["a"]}, {"messages": [{"content": "a"}]}])
def test_a_line_without_messages_is_an_error_that_names_it(tmp_path: Path, row: Any) -> None:
    with pytest.raises(KimiUsageError, match=r"cases\.jsonl:2 is not a request"):
        load(tmp_path, {"messages": ASKED}, row)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KimiUsageError, match="cannot be read"):
        load_cases(tmp_path / "missing.jsonl")
