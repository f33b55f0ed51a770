"""ChatKimi: LangChain's methods, each a few lines that hand over to the rooms below."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, Self, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult, LLMResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils import from_env
from pydantic import Field, model_validator

from langchain_kimi._kimi.outgoing import changes_of_choice, fit
from langchain_kimi._kimi.profiles import profile
from langchain_kimi._openrouter.http import clients
from langchain_kimi._openrouter.http.transport import Call, aexchange, exchange
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._reply import content_blocks
from langchain_kimi._reply.continuing import ContinuesReplies
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi._reply.streamed import CoalescesDeltas
from langchain_kimi._reply.usage import added_up
from langchain_kimi._request.body import OF_THE_CALL, body_bytes, call_ids_in, request_body
from langchain_kimi._request.routing import KeepsCachesWarm
from langchain_kimi._schemas.tools import bind_arguments
from langchain_kimi._settings import KimiSettings
from langchain_kimi._structured.binding import MakesStructuredOutput
from langchain_kimi._tokens.model import ChecksContext, EstimatesCosts
from langchain_kimi._tracing import RetryReport, langsmith_params
from langchain_kimi._version import __version__

content_blocks.register()


class ChatKimi(
    KimiSettings,
    KeepsCachesWarm,
    ChecksContext,
    EstimatesCosts,
    ContinuesReplies,
    CoalescesDeltas,
    MakesStructuredOutput,
    defer_build=False,  # unlike its parts, of which no model is made
):
    """Kimi over OpenRouter as a LangChain chat model.

    Every parameter can be set here, by `.bind()`, or per call; only what was set is sent. Errors are one tree, see
    `langchain_kimi.errors`.

    Example:
        ```python
        from langchain_kimi import ChatKimi

        model = ChatKimi(temperature=0.6)  # the key comes from OPENROUTER_API_KEY
        print(model.invoke("Say hello in Finnish.").text)
        ```
    """

    tokenizer_file: str | None = Field(default_factory=from_env("KIMI_TOKENIZER", default=None), exclude=True)
    """Where Kimi's vocabulary is, for exact counts of tokens; without it the environment's `KIMI_TOKENIZER`, else the
    cache of `huggingface_hub`, where `python -m langchain_kimi tokenizer fetch` puts it. Without a file tokens are
    estimated."""

    @model_validator(mode="after")
    def _note_version(self) -> Self:
        self._add_version("langchain-kimi-openrouter", __version__)
        return self

    @property
    def _llm_type(self) -> str:
        return "openrouter-kimi"

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Which arguments are secrets, and what the environment calls them."""
        return {"openrouter_api_key": "OPENROUTER_API_KEY"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Option objects as the dicts they are made of, which is how LangChain can load them again."""
        return self.options_as_dicts()

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Say that LangChain may serialize the model; its key is left out."""
        return True

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model_name, **self.wire_parameters(), **self.model_kwargs}

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        # What is given here becomes metadata of traces: headers may hold secrets.
        kwargs.pop("extra_headers", None)
        return super()._get_invocation_params(stop=stop, **kwargs)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return langsmith_params(self._identifying_params, kwargs, stop)

    def _resolve_model_profile(self) -> ModelProfile | None:
        return cast("ModelProfile | None", profile(self.model_name))

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        return added_up(llm_outputs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        [result] = exchange(self._call(PlainMessage, messages, stop, run_manager, kwargs))
        return cast("ChatResult", result)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(PlainMessage, messages, stop, run_manager, kwargs)
        try:
            [result] = [part async for part in aexchange(call)]
        except asyncio.CancelledError as error:
            # The one end of a call that langchain-core does not report (seen in 1.6.0 and 1.7.2).
            if run_manager is not None:
                await run_manager.on_llm_error(error, response=LLMResult(generations=[]))
            raise
        return cast("ChatResult", result)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from exchange(self._streamed_call(messages, stop, run_manager, kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with aclosing(aexchange(self._streamed_call(messages, stop, run_manager, kwargs))) as chunks:
            async for chunk in chunks:
                yield chunk

    def _streamed_call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: Any,
        kwargs: dict[str, Any],
    ) -> Call[Any]:
        told = kwargs.get("stream_usage")
        reader = partial(self.chunk_reader, with_usage=self.stream_usage if told is None else bool(told))
        return self._call(reader, messages, stop, run_manager, kwargs)

    def _call(
        self,
        reader: Callable[..., Any],
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: Any,
        kwargs: dict[str, Any],
    ) -> Call[Any]:
        streamed = reader is not PlainMessage
        repair_options = self.repair_options(partial(call_ids_in, messages))
        given = {name: value for name, value in kwargs.items() if name not in OF_THE_CALL}
        asked = request_body(
            messages,
            model=self.model_name,
            settings={**self.wire_parameters(), **self.model_kwargs},
            given=given if stop is None else {**given, "stop": stop},
            streamed=streamed,
        )
        body = self.kept_warm(fit(asked, repair_options.repairs), messages, given)
        self.refuse_overflow(body, messages)
        connection = self.connection(kwargs.get("timeout", kwargs.get("request_timeout")))
        report = RetryReport(run_manager)

        def new_reader(opened: ResponseHead) -> Any:
            found = {"empty_answers": report.empty_answers, **changes_of_choice(asked, body)}
            return reader(
                opened, body=body, idle=connection.timeout.idle, repair_options=replace(repair_options, **found)
            )

        return Call(
            connection=connection,
            headers=self.headers(kwargs.get("extra_headers"), streamed=streamed),
            body=body_bytes(body),
            new_reader=new_reader,
            retries=self.retries(kwargs.get("max_retries"), kwargs.get("retry_empty")),
            report=report,
            model=body.get("model"),
        )

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: dict[str, Any] | type | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools to the model.

        Args:
            tools: Functions, `BaseTool`s, pydantic classes, TypedDicts, JSON schemas, OpenAI or Anthropic tools;
                OpenRouter's server tools (`{"type": "openrouter:web_search"}`) pass as they are. None at all sends no
                `tools`.
            tool_choice: `"auto"`, `"none"`, `"any"` or `"required"`, a tool's name, True for the only tool, or a dict.
            strict: Whether the model must keep to the tools' schemas to the letter; None leaves it to the host.
            parallel_tool_calls: Whether one answer may hold several calls; None leaves it to the host.
            response_format: What the answer itself must look like: a schema, or the wire's own form.
            **kwargs: Further parameters, bound with the tools.

        Raises:
            KimiUsageError: a tool's name cannot be sent, or `tool_choice` names a tool that is not offered.
        """
        return self.bind(
            **bind_arguments(
                tools,
                tool_choice=tool_choice,
                strict=strict,
                parallel_tool_calls=parallel_tool_calls,
                response_format=response_format,
                **kwargs,
            )
        )

    def close(self) -> None:
        """Let go the sync connections that this model shares; they close with their last call, and open when needed."""
        clients.close(self.connection())

    async def aclose(self) -> None:
        """Let go the async connections of the running loop that this model shares; see `close`."""
        await clients.aclose(self.connection())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
