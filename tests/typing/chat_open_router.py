"""Every argument that type checkers accept in `ChatOpenRouter(...)` of langchain-openrouter 0.2.9, in `ChatKimi`.

Left out is `client`, the object of OpenRouter's SDK, which ChatKimi does not use. This file is checked and never run.
"""

from langchain_core.callbacks import StdOutCallbackHandler
from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import SecretStr

from langchain_kimi import ChatKimi


def build() -> ChatKimi:
    return ChatKimi(
        api_key=SecretStr("key"),
        base_url="https://openrouter.ai/api/v1",
        app_url="https://example.com",
        app_title="Trips",
        app_categories=["cli-agent"],
        timeout=60,
        max_retries=2,
        model="moonshotai/kimi-k2-0905",
        temperature=0.6,
        max_tokens=100,
        max_completion_tokens=100,
        top_p=0.9,
        frequency_penalty=0.1,
        presence_penalty=0.1,
        seed=7,
        stop_sequences=["END"],
        n=1,
        streaming=False,
        stream_usage=True,
        model_kwargs={"top_k": 3},
        reasoning={"effort": "low"},
        openrouter_provider={"only": ["novita"]},
        route="fallback",
        plugins=[{"id": "web"}],
        default_headers={"x-trace": "1"},
        session_id="conversation-1",
        trace={"trace_id": "1"},
    )


def build_with_arguments_of_langchain() -> ChatKimi:
    return ChatKimi(
        name="mine",
        cache=False,
        verbose=False,
        callbacks=[StdOutCallbackHandler()],
        tags=["trips"],
        metadata={"team": "travel"},
        custom_get_token_ids=None,
        rate_limiter=InMemoryRateLimiter(),
        disable_streaming=False,
        output_version="v1",
        profile={"max_input_tokens": 1000},
    )


def build_by_field_names() -> list[ChatKimi]:
    # ChatOpenRouter accepts these names at run time (`populate_by_name`); type checkers know them from ChatKimi only.
    return [
        ChatKimi(openrouter_api_key=SecretStr("key"), openrouter_api_base="https://openrouter.ai/api/v1"),
        ChatKimi(openrouter_api_key="key", request_timeout=60, model_name="moonshotai/kimi-k2-0905", stop=["END"]),
        ChatKimi(api_key="key", base_url=None, timeout=None, stop_sequences="END"),
    ]
