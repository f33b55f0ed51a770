"""LangChain's standard integration suite, with every capability of Kimi switched on."""

from typing import Any, Literal, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_kimi import ChatKimi
from tests.conftest import KEY

THINKING = "moonshotai/kimi-k2-thinking"
QUESTION = "What is the capital of Norway? Think first."

Details = Literal["audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"]


class KimiSuite(ChatModelIntegrationTests):
    """The suite for a model that takes text; the subclass chooses the server."""

    slug = "moonshotai/kimi-k2-0905"
    method = "json_schema"

    @property
    def base_url(self) -> str:
        raise NotImplementedError("a suite says where its model is served")

    @property
    def api_key(self) -> str:
        return KEY

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatKimi

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.slug, "temperature": 0, "api_key": self.api_key, "base_url": self.base_url}

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": self.method}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def returns_usage_metadata(self) -> bool:
        return True

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return THINKING

    @property
    def supported_usage_metadata_details(self) -> dict[Literal["invoke", "stream"], list[Details]]:
        return {"invoke": ["reasoning_output", "cache_read_input"], "stream": ["reasoning_output", "cache_read_input"]}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        return self._asked(QUESTION, stream=stream, model=THINKING)

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        prompt = "Read this carefully and repeat its last word. " + "Kimi reads long prompts from the cache. " * 60
        self._asked(prompt, stream=stream)
        return self._asked(prompt, stream=stream)

    def _asked(self, prompt: str, *, stream: bool, **kwargs: Any) -> AIMessage:
        model = ChatKimi(**self.chat_model_params)
        if not stream:
            return model.invoke(prompt, **kwargs)
        chunks = model.stream(prompt, **kwargs)
        message = next(chunks)
        for chunk in chunks:
            message = cast("Any", message + chunk)
        return message
