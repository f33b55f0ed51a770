from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from langchain_kimi._openrouter.parameters.plugin import Plugin, plugin
from langchain_kimi._openrouter.parameters.plugins import (
    BY_ID,
    AutoRouterPlugin,
    ContextCompressionPlugin,
    FileParserPlugin,
    FusionPlugin,
    ParetoRouterPlugin,
    WebPlugin,
)


def refused(build: Callable[[], object]) -> str:
    with pytest.raises(ValidationError) as caught:
        build()
    return str(caught.value)


PLUGINS: list[dict[str, Any]] = [
    {
        "id": "web",
        "enabled": True,
        "max_results": 3,
        "engine": "exa",
        "mode": "fast",
        "search_prompt": "From the web:",
        "include_domains": ["example.com"],
        "exclude_domains": ["example.org"],
        "max_uses": 2,
        "x_search": {"allowed_x_handles": ["x"]},
        "user_location": {"type": "approximate", "city": "Oslo"},
    },
    {
        "id": "web-fetch",
        "max_uses": 2,
        "max_content_tokens": 900,
        "allowed_domains": ["example.com"],
        "blocked_domains": ["example.org"],
    },
    {"id": "file-parser", "enabled": True, "pdf": {"engine": "cloudflare-ai"}},
    {"id": "response-healing"},
    {"id": "context-compression", "enabled": False, "engine": "middle-out"},
    {"id": "moderation", "enabled": True},
    {
        "id": "auto-router",
        "allowed_models": ["moonshotai/*"],
        "excluded_models": ["*:free"],
        "cost_tier": "low",
        "cost_quality_tradeoff": 5.0,
        "pin_model": True,
    },
    {"id": "auto-beta-router", "cost_tier": "max"},
    {"id": "pareto-router", "min_coding_score": 0.5, "max_price": 3.0, "price_source": "prompt"},
    {
        "id": "fusion",
        "analysis_models": ["moonshotai/kimi-k2.6"],
        "model": "moonshotai/kimi-k2.6",
        "preset": "general-fast",
        "max_tool_calls": 16,
        "tools": [{"type": "openrouter:datetime"}],
    },
    {"id": "jev-router", "models": ["moonshotai/*"], "excluded_models": ["*:free"], "cost_tier": "operator"},
    {"id": "switchyard-router", "algorithm": "stage", "judge_model": "moonshotai/kimi-k2.6"},
    {"id": "alignment", "rules": [{"id": "a"}], "instruct": False, "max_retries": 0, "mode": "audit", "threshold": 0.7},
    {"id": "armor", "enabled": True, "mode": "enforce", "on_error": "log", "output_mode": "text"},
]


@pytest.mark.parametrize("value", PLUGINS, ids=lambda value: value["id"])
def test_every_plugin_is_sent_unchanged(value: dict[str, Any]) -> None:
    built = plugin(value)
    assert type(built) is BY_ID[value["id"]]
    assert built.to_wire() == value
    assert plugin(built) is built


def test_the_table_of_plugins_is_complete() -> None:
    assert set(BY_ID) == {value["id"] for value in PLUGINS}


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: plugin({"id": "web", "max_result": 1}), "unknown key 'max_result' in plugin web; did you mean"),
        (lambda: FileParserPlugin(pdf={"engin": "native"}), "unknown key 'engin' in pdf; did you mean 'engine'?"),
        (lambda: FileParserPlugin(pdf="native"), "must be a PdfOptions or a dict, got 'native'"),
        (lambda: WebPlugin(max_results=0), "must be an integer of at least 1, got 0"),
        (lambda: WebPlugin(mode=3), "must be a string, got 3"),
        (lambda: ContextCompressionPlugin(engine="midle-out"), "did you mean 'middle-out'?"),
        (lambda: AutoRouterPlugin(allowed_models=["x" * 1025]), "of at most 1024 characters each"),
        (lambda: AutoRouterPlugin(allowed_models=["x"] * 1025), "at most 1024 strings"),
        (lambda: AutoRouterPlugin(excluded_models=["x" * 1000] * 66), "65536 together, got 66000 characters"),
        (lambda: AutoRouterPlugin(cost_quality_tradeoff=11), "must be a number from 0 to 10, got 11"),
        (lambda: ParetoRouterPlugin(min_coding_score=1.1), "must be a number from 0 to 1, got 1.1"),
        (lambda: FusionPlugin(max_tool_calls=17), "must be an integer from 1 to 16, got 17"),
        (lambda: FusionPlugin(analysis_models=["x"] * 9), "must be a list of at most 8 strings, got a list of 9"),
        (lambda: FusionPlugin(tools=[{}] * 9), "must be a list of at most 8 dicts, got a list of 9"),
        (lambda: FusionPlugin(tools=["x"]), "must be a list of at most 8 dicts, got 'x' in it"),
    ],
)
def test_invalid_plugin_options_are_refused(build: Callable[[], Plugin], message: str) -> None:
    assert message in refused(build)
