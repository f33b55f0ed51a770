import io
import re

import httpx
import pytest

from langchain_kimi.catalog import Catalog, Endpoint, ToolChoiceSupport
from langchain_kimi.cli.commands import doctor
from langchain_kimi.cli.main import main
from langchain_kimi.cli.output import Output
from langchain_kimi.testing import EmulatedHost
from tests.catalog.serving import URL, Server, data, refusal
from tests.cli.conftest import Cli


def test_everything_is_fine(cli: Cli) -> None:
    output = cli("doctor", "--tools", "--json-schema", "--max-price", "3")
    assert "BAD" not in output
    assert "7.50 of 10.00 USD are left" in output
    assert "3 of 6 hosts serve moonshotai/kimi-k2-0905 with tools, structured_outputs, at most 3 USD/M" in output
    assert re.search(r"^--  slow: without structured_outputs$", output, re.MULTILINE)
    assert re.search(r"^--  broken: degraded$", output, re.MULTILINE)
    assert output.splitlines()[-1] == (
        'ChatKimi(model="moonshotai/kimi-k2-0905", '
        "provider=ProviderPreferences(ignore=['slow', 'broken', 'expensive'], "
        'require_parameters=True, max_price={"completion": 3}))'
    )


def test_without_wishes_the_model_is_short(cli: Cli) -> None:
    cli.emulator.behave(hosts=(EmulatedHost(tag="a", name="A"), EmulatedHost(tag="b", name="B", uptime=50)))
    result = cli.json("doctor", "moonshotai/kimi-k2.6")
    assert result["code"] == "ChatKimi(model=\"moonshotai/kimi-k2.6\", provider=ProviderPreferences(ignore=['b']))"
    assert {"ok": None, "text": "b: up 50 % of the last day"} in result["checks"]


def test_a_model_without_suitable_hosts_is_replaced(cli: Cli) -> None:
    output = cli("doctor", "--reasoning", "--max-price", "5", code=3)
    assert "BAD 0 of 6 hosts serve moonshotai/kimi-k2-0905 with reasoning" in output
    assert output.splitlines()[-1].startswith('ChatKimi(model="moonshotai/kimi-k2.5"')
    assert "No listed Kimi" in cli("doctor", "--max-price", "0.01", code=3)


def test_an_unknown_model_names_the_nearest(cli: Cli) -> None:
    output = cli("doctor", "moonshotai/kimi-k26", code=3)
    assert "BAD moonshotai/kimi-k26 is not listed. Did you mean moonshotai/kimi-k2.6" in output
    assert output.splitlines()[-1] == 'ChatKimi(model="moonshotai/kimi-k2.6")'


def test_a_name_like_no_other_gets_the_cheapest_of_the_newest_models(cli: Cli) -> None:
    output = cli("doctor", "a/b", code=3)
    assert "No listed model has a similar name." in output
    assert output.splitlines()[-1] == 'ChatKimi(model="moonshotai/kimi-k2.5")'


def test_a_missing_key_is_a_failed_check(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENROUTER_API_KEY")
    assert "BAD OPENROUTER_API_KEY is not set" in cli("doctor", code=3)


def test_no_network_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "a-key")
    assert main(["doctor", "--base-url", "http://127.0.0.1:9/api/v1"]) == 4
    assert "BAD 127.0.0.1:9 refuses the connection" in capsys.readouterr().out


def findings(*answers: httpx.Response) -> str:
    """Return the findings about a key."""
    stream = io.StringIO()
    with httpx.Client(transport=httpx.MockTransport(Server(*answers))) as client:
        catalog = Catalog("a-key", base_url=URL, http_client=client, max_retries=0)
        doctor._check_key(catalog, doctor._Findings(Output(stream=stream)), has_key=True)
    return stream.getvalue()


def test_limits_and_credits_that_are_nearly_used_up_are_named() -> None:
    low = findings(data({"limit": 5, "limit_remaining": 0.5}), data({"total_credits": 1, "total_usage": 0.75}))
    assert "--  0.50 of 5.00 USD are left" in low
    assert "--  0.25 USD of credits are left" in low
    gone = findings(data({"limit": 5, "limit_remaining": 0}), data({"total_credits": 1, "total_usage": 2}))
    assert "BAD 0.00 of 5.00 USD" in gone
    assert "BAD -1.00 USD" in gone


def test_a_key_without_a_limit_and_without_the_right_to_see_credits() -> None:
    output = findings(data({"usage": 2}), refusal(403, "management keys only"))
    assert "the key has no limit; 2.0000 USD used" in output
    assert "shown to management keys only" in output


def test_a_refused_key_is_a_failed_check() -> None:
    assert "BAD the key is refused: User not found." in findings(refusal(401, "User not found."))


def test_a_host_that_cannot_be_forced_to_call_a_tool() -> None:
    choices = ToolChoiceSupport(auto=True, required=True, function=False)
    host = Endpoint(tag="a", supported_parameters=["tools"], supports_tool_choice=choices)
    assert [*doctor._against(host, ["tools"], 1.0)] == [
        "unknown USD per million output tokens",
        "without a forced tool",
    ]
