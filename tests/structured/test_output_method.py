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
        # Kimis that never think.
        (["moonshotai/kimi-k2"], {}, "function_calling"),
        (["moonshotai/kimi-k2:free"], {}, "function_calling"),
        (["moonshotai/kimi-k2-0905"], {}, "function_calling"),
        (["moonshotai/kimi-k2-0905:exacto"], LOW, "function_calling"),
        # Kimis with a switch.
        (["moonshotai/kimi-k2.5"], {}, "json_schema"),
        (["moonshotai/kimi-k2.6"], {}, "json_schema"),
        (["moonshotai/kimi-k2.6:nitro"], LOW, "json_schema"),
        (["moonshotai/kimi-k2.6"], {"reasoning": {"enabled": True}}, "json_schema"),
        (["moonshotai/kimi-k2.6"], OFF, "function_calling"),
        (["moonshotai/kimi-k2.6-20260420"], NO_EFFORT, "function_calling"),
        (["moonshotai/kimi-k2.6"], NO_EFFORT_TOO, "function_calling"),
        (["moonshotai/kimi-k2.6"], {"reasoning": None}, "json_schema"),
        # Kimis that always think.
        (["moonshotai/kimi-k2-thinking"], OFF, "json_schema"),
        (["moonshotai/kimi-k2.7-code"], {}, "json_schema"),
        (["moonshotai/kimi-k3"], {}, "json_schema"),
        (["~moonshotai/kimi-latest"], NO_EFFORT, "json_schema"),
        (["moonshotai/kimi-k9"], {}, "json_schema"),
        # What is not known.
        (["openai/gpt-5"], {}, "function_calling"),
        (["@preset/extraction"], {}, "function_calling"),
        ([""], {}, "function_calling"),
        # Several models: what all of them can.
        (["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.6"], {}, "json_schema"),
        (["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.6"], OFF, "function_calling"),
        (["moonshotai/kimi-k2.6", "openai/gpt-5"], {}, "json_schema"),
        (["moonshotai/kimi-k2.6", "moonshotai/kimi-k2"], {}, "json_mode"),
    ],
)
def test_the_method_that_fits(slugs: list[str], parameters: Any, method: str) -> None:
    assert output_method(slugs, parameters) == method


@pytest.mark.parametrize(
    ("slug", "known", "method"),
    [
        ("moonshotai/kimi-k2.6", {"structured_output": False}, "json_mode"),
        ("moonshotai/kimi-k2-0905", {"tool_choice": False, "structured_output": True}, "json_schema"),
        ("moonshotai/kimi-k2-0905", {"tool_choice": False, "structured_output": False}, "json_mode"),
        ("moonshotai/kimi-k2-0905", {"tool_calling": False}, "json_schema"),
        ("moonshotai/kimi-k2-0905", {}, "function_calling"),
        ("acme/model", {"tool_choice": False, "structured_output": False}, "json_mode"),
    ],
)
def test_a_profile_of_the_user_s_own_counts(slug: str, known: Any, method: str) -> None:
    assert output_method([slug], {}, known) == method


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
def test_whether_a_model_thinks(slug: str, parameters: Any, answer: object) -> None:
    assert thinks(slug, parameters) is answer
