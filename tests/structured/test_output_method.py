from typing import Any

import pytest

from langchain_kimi._kimi.families import thinks
from langchain_kimi._structured.plan import output_method

OFF = {"reasoning": {"enabled": False}}
NO_EFFORT = {"reasoning": {"effort": "none"}}
NO_EFFORT_TOO = {"reasoning_effort": "none"}
LOW = {"reasoning": {"effort": "low"}}


@pytest.mark.parametrize(
    ("slugs", "parameters", "method"),
    [
        # Models that never reason.
        (["moonshotai/kimi-k2"], {}, "function_calling"),
        (["moonshotai/kimi-k2:free"], {}, "function_calling"),
        (["moonshotai/kimi-k2-0905"], {}, "function_calling"),
        (["moonshotai/kimi-k2-0905:exacto"], LOW, "function_calling"),
        # Models with a switch for reasoning.
        (["moonshotai/kimi-k2.5"], {}, "json_schema"),
        (["moonshotai/kimi-k2.6"], {}, "json_schema"),
        (["moonshotai/kimi-k2.6:nitro"], LOW, "json_schema"),
        (["moonshotai/kimi-k2.6"], {"reasoning": {"enabled": True}}, "json_schema"),
        (["moonshotai/kimi-k2.6"], OFF, "function_calling"),
        (["moonshotai/kimi-k2.6-20260420"], NO_EFFORT, "function_calling"),
        (["moonshotai/kimi-k2.6"], NO_EFFORT_TOO, "function_calling"),
        (["moonshotai/kimi-k2.6"], {"reasoning": None}, "json_schema"),
        # Models that always reason.
        (["moonshotai/kimi-k2-thinking"], OFF, "json_schema"),
        (["moonshotai/kimi-k2.7-code"], {}, "json_schema"),
        (["moonshotai/kimi-k3"], {}, "json_schema"),
        (["~moonshotai/kimi-latest"], NO_EFFORT, "json_schema"),
        (["moonshotai/kimi-k9"], {}, "json_schema"),
        # Unknown models.
        (["openai/gpt-5"], {}, "function_calling"),
        (["@preset/extraction"], {}, "function_calling"),
        ([""], {}, "function_calling"),
        # Several models: a method that all support.
        (["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.6"], {}, "json_schema"),
        (["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.6"], OFF, "function_calling"),
        (["moonshotai/kimi-k2.6", "openai/gpt-5"], {}, "json_schema"),
        (["moonshotai/kimi-k2.6", "moonshotai/kimi-k2"], {}, "json_mode"),
    ],
)
def test_the_method_of_a_request(slugs: list[str], parameters: Any, method: str) -> None:
    assert output_method(slugs, parameters) == method


@pytest.mark.parametrize(
    ("slug", "own_profile", "method"),
    [
        ("moonshotai/kimi-k2.6", {"structured_output": False}, "json_mode"),
        ("moonshotai/kimi-k2-0905", {"tool_choice": False, "structured_output": True}, "json_schema"),
        ("moonshotai/kimi-k2-0905", {"tool_choice": False, "structured_output": False}, "json_mode"),
        ("moonshotai/kimi-k2-0905", {"tool_calling": False}, "json_schema"),
        ("moonshotai/kimi-k2-0905", {}, "function_calling"),
        ("acme/model", {"tool_choice": False, "structured_output": False}, "json_mode"),
    ],
)
def test_a_user_s_profile_overrides_the_built_in_one(slug: str, own_profile: Any, method: str) -> None:
    assert output_method([slug], {}, own_profile) == method


@pytest.mark.parametrize(
    ("slug", "parameters", "answer"),
    [
        ("moonshotai/kimi-k2-0905", {}, False),
        ("openai/gpt-5", {}, False),
        ("moonshotai/kimi-k2.6", {}, True),
        ("moonshotai/kimi-k2.6", OFF, False),
        ("moonshotai/kimi-k3", OFF, True),
    ],
)
def test_whether_a_model_reasons(slug: str, parameters: Any, answer: object) -> None:
    assert thinks(slug, parameters) is answer
