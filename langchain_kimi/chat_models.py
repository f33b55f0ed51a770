"""ChatKimi, Moonshot's Kimi as a LangChain chat model."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast, overload

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation, LLMResult
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable
from pydantic import BaseModel, model_validator

from langchain_kimi import _reply, _schemas, _tokens
from langchain_kimi._calls import (
    async_call,
    bodies,
    body_for_host,
    connection,
    counting,
    sync_call,
    visible_headers,
)
from langchain_kimi._constructor import with_stored_signature
from langchain_kimi._costs.slots import discarding_calls_not_made
from langchain_kimi._openrouter.host import Host
from langchain_kimi._openrouter.http import clients
from langchain_kimi._openrouter.http.transport import aexchange, exchange
from langchain_kimi._openrouter.parameters.merging import checked, options_as_dicts, wire_parameters
from langchain_kimi._profile import listed_profile, refreshing_profile, resolved_profile
from langchain_kimi._reply import content_blocks
from langchain_kimi._reply.cached import as_cached, copies
from langchain_kimi._reply.collected import collecting
from langchain_kimi._reply.continuing import joined, with_beginning
from langchain_kimi._reply.stream_outputs import reporting, with_output
from langchain_kimi._reply.usage import added_up
from langchain_kimi._request.body import body_bytes
from langchain_kimi._request.prompts import batches_with_image_types, prompt_of
from langchain_kimi._settings import KimiSettings, chosen_host
from langchain_kimi._tracing import langsmith_params
from langchain_kimi._version import __version__

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from langchain_kimi._schemas.tools import Tool
    from langchain_kimi._structured.binding import ModelBinding
    from langchain_kimi._structured.plan import Method
    from langchain_kimi._tokens.counting import TokenCount
    from langchain_kimi._tokens.model import CostEstimate
    from langchain_kimi.batch import BatchHandle
    from langchain_kimi.catalog import AsyncCatalog, Catalog, Refreshed
else:
    # `with_fallbacks(...)` resolves the annotations of the methods that are called on it, to find those that return a
    # runnable. The modules of these types are imported when they are needed.
    BaseTool = Tool = Method = TokenCount = CostEstimate = BatchHandle = AsyncCatalog = Catalog = Refreshed = Any
    ModelBinding = Runnable

T = TypeVar("T")

content_blocks.register()


# The bases are in this order because type checkers and editors list the arguments of the last base first.
class ChatKimi(BaseChatModel, KimiSettings, defer_build=False):
    """Moonshot's Kimi as a LangChain chat model, over OpenRouter or another host.

    Every parameter can be set in the constructor, with `.bind()`, or in a call. Parameters that are not set are not
    sent. All errors are subclasses of `langchain_kimi.KimiError`.

    Args:
        model: The model's slug, by default `moonshotai/kimi-k2-0905`.
        api_key: The API key, by default the environment variable `OPENROUTER_API_KEY`.
        base_url: The base URL, by default OpenRouter's. It also chooses the kind of server, see `host`.
        host: The kind of server: `openrouter`, `moonshot`, `vllm`, `llama.cpp`, ..., or a `Host`.
        temperature: The sampling temperature, 0 to 2.
        max_tokens: The maximum number of tokens of a reply, including its reasoning.
        reasoning: How much the model reasons: `{"effort": "low"}` or `{"enabled": False}`.
        provider: Which of OpenRouter's providers may serve a request: `{"only": ["novita"]}`.
        timeout: Seconds without content before a call fails, or `{"connect": ..., "idle": ..., "total": ...}`.
        max_retries: The maximum number of retries after a failed attempt.
        repairs: Which provider and model quirks to repair: `"all"`, `"none"`, or a list of names.
        **model_parameters: The other fields; `ChatKimi.model_fields[...].description` describes each.

    Raises:
        pydantic.ValidationError: An argument is invalid, or there is no API key.

    Example:
        ```python
        from langchain_kimi import ChatKimi

        model = ChatKimi(temperature=0.6)  # the key comes from OPENROUTER_API_KEY
        print(model.invoke("Say hello in Finnish.").text)
        ```
    """

    @model_validator(mode="after")
    def _note_version(self) -> Self:
        self._add_version("langchain-kimi-openrouter", __version__)
        return self

    @property
    def _llm_type(self) -> str:
        return "openrouter-kimi"

    @property
    def lc_secrets(self) -> dict[str, str]:
        """The arguments that are secrets, with their environment variables."""
        return {"openrouter_api_key": chosen_host(self).key_variable or "OPENROUTER_API_KEY"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """The option objects as dicts, which LangChain can serialize."""
        host = {"host": self.host.to_dict()} if isinstance(self.host, Host) else {}
        return {**options_as_dicts(self), **host}

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return True. LangChain may serialize the model; the key is left out."""
        return True

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("model", "model_name"):
            super().__setattr__(name, value)
            return
        with refreshing_profile(self):
            super().__setattr__(name, value)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the model. `update` takes the constructor's names. The copy has the profile of its own model."""
        copied = super().model_copy(update=update, deep=deep)
        if "profile" not in (update or {}) and self.profile == listed_profile(self):
            copied.__dict__["profile"] = listed_profile(copied)
        return copied

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield "model", self.model_name
        names = self.model_fields_set - {"model_name", "openrouter_api_key", "profile", "metadata"}
        yield from ((name, value) for name, value in super().__repr_args__() if name in names and value != {})

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model_name, **wire_parameters(self), **self.model_kwargs}

    def _get_invocation_params(self, stop: list[str] | None = None, **kwargs: Any) -> dict[str, Any]:
        # These arguments become metadata of traces, and headers may be secret.
        kwargs.pop("extra_headers", None)
        if type(self).dict is not BaseChatModel.dict:
            return super()._get_invocation_params(stop=stop, **kwargs)
        # langchain-core calls the deprecated `dict`; the warning filters that it sets for it take 2 % of a plain call.
        return {**self.asdict(), "stop": stop, **kwargs}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return langsmith_params(self._identifying_params, kwargs, stop)

    def _resolve_model_profile(self) -> ModelProfile | None:
        return cast("ModelProfile | None", resolved_profile(self))

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        return {"model_name": self.model_name, **added_up(llm_outputs)}

    def _convert_input(self, model_input: LanguageModelInput) -> PromptValue:
        return prompt_of(model_input, super()._convert_input)

    def generate(self, messages: list[list[BaseMessage]], *args: Any, **kwargs: Any) -> LLMResult:
        """Call the model with each list of messages; see `BaseChatModel.generate`."""
        with discarding_calls_not_made():
            try:
                return super().generate(messages, *args, **kwargs)
            except ValueError as error:
                # Checking the images before each call would take 40 µs per 1,000 messages.
                messages = batches_with_image_types(messages, error)
            return super().generate(messages, *args, **kwargs)

    async def agenerate(self, messages: list[list[BaseMessage]], *args: Any, **kwargs: Any) -> LLMResult:
        """Call the model with each list of messages; see `BaseChatModel.agenerate`."""
        with discarding_calls_not_made():
            try:
                return await super().agenerate(messages, *args, **kwargs)
            except ValueError as error:
                messages = batches_with_image_types(messages, error)
            return await super().agenerate(messages, *args, **kwargs)

    def _generate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        with collecting(self, kwargs.get("run_manager"), _STREAMS):
            return with_output(super()._generate_with_cache(*args, **kwargs))

    async def _agenerate_with_cache(self, *args: Any, **kwargs: Any) -> ChatResult:
        with collecting(self, kwargs.get("run_manager"), _STREAMS):
            return with_output(await super()._agenerate_with_cache(*args, **kwargs))

    def _convert_cached_generations(self, cache_val: list[Generation]) -> list[ChatGeneration]:
        return as_cached(super()._convert_cached_generations(copies(cache_val)))

    @with_stored_signature
    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        [result] = exchange(sync_call(self, messages, stop, run_manager, kwargs, streamed=False))
        return cast("ChatResult", result)

    @with_stored_signature
    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        try:
            call = await async_call(self, messages, stop, run_manager, kwargs, streamed=False)
            [result] = [part async for part in aexchange(call)]
        except asyncio.CancelledError as error:
            # langchain-core reports every end of a call except cancellation (seen in 1.6.0 and 1.7.2).
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
        yield from exchange(sync_call(self, messages, stop, run_manager, kwargs, streamed=True))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        call = await async_call(self, messages, stop, run_manager, kwargs, streamed=True)
        async with aclosing(aexchange(call)) as chunks:
            async for chunk in chunks:
                yield chunk

    @property
    def _stream_chat_model_events(self) -> Callable[..., Iterator[dict[str, Any]]] | None:
        return self._events if self._has_events else None

    @property
    def _astream_chat_model_events(self) -> Callable[..., AsyncIterator[dict[str, Any]]] | None:
        return self._aevents if self._has_events else None

    @property
    def _has_events(self) -> bool:
        """Whether this class writes protocol events. Otherwise langchain-core makes them from the chunks."""
        is_own = (type(self)._stream, type(self)._astream) == _STREAMS  # noqa: SLF001 - of this class or a subclass
        return is_own and not self.coalesce and _reply.events.is_same_as_core()

    def _events(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        *,
        run_manager: CallbackManagerForLLMRun,
        **kwargs: Any,
    ) -> Iterator[dict[str, Any]]:
        message_id = _reply.events.message_id_for(run_manager.run_id)
        return exchange(sync_call(self, messages, stop, run_manager, kwargs, streamed=True, events_of=message_id))

    async def _aevents(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        *,
        run_manager: AsyncCallbackManagerForLLMRun,
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any]]:
        message_id = _reply.events.message_id_for(run_manager.run_id)
        call = await async_call(self, messages, stop, run_manager, kwargs, streamed=True, events_of=message_id)
        async with aclosing(aexchange(call)) as written:
            async for event in written:
                yield event

    def request_body(self, messages: LanguageModelInput, *, stream: bool = False, **kwargs: Any) -> dict[str, Any]:
        """Return the JSON body that a call would send. Nothing is sent.

        Args:
            messages: The input, in any form that `invoke` accepts.
            stream: Whether the reply would be streamed.
            **kwargs: Arguments of the call, such as `stop`, `temperature` and `tools`.

        Raises:
            KimiUsageError: An argument or a message cannot be sent.
        """
        conversation = self._convert_input(messages).to_messages()
        _, body = bodies(self, conversation, kwargs, self.profile, streamed=stream)
        sent: dict[str, Any] = json.loads(body_bytes(body_for_host(self, body, kwargs, streamed=stream)))
        return sent

    def request_headers(
        self, *, stream: bool = False, extra_headers: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Return the headers that a call would send. Asterisks replace the key and the values that you set."""
        return visible_headers(self, extra_headers, streamed=stream)

    def bind(self, **kwargs: Any) -> "ModelBinding":
        """Bind parameters to the model. They stay bound when tools or a schema are bound afterwards."""
        from langchain_kimi._structured.binding import ModelBinding  # noqa: PLC0415 - a plain call does not import it

        return ModelBinding(bound=self, kwargs=kwargs, config={})

    def bind_tools(
        self,
        tools: "Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]",
        *,
        tool_choice: str | bool | dict[str, Any] | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: dict[str, Any] | type | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools to the model.

        Args:
            tools: Functions, `BaseTool`s, pydantic classes, TypedDicts, JSON schemas, OpenAI or Anthropic tools, and
                OpenRouter's server tools (`WebSearch()`, or `{"type": "openrouter:web_search"}`). If the list is empty,
                no `tools` are sent.
            tool_choice: `"auto"`, `"none"`, `"any"` or `"required"`, a tool's name, True for the only tool, or a dict.
            strict: Whether the provider must enforce the tools' schemas; None leaves it to the provider.
            parallel_tool_calls: Whether a reply may have several tool calls; None leaves it to the provider.
            response_format: The format of the text: a schema, or a dict in OpenRouter's form.
            **kwargs: Further parameters to bind.

        Raises:
            KimiUsageError: A tool's name cannot be sent, or `tool_choice` names a tool that is not among the tools.
        """
        return self.bind(
            **_schemas.tools.bind_arguments(
                tools,
                tool_choice=tool_choice,
                strict=strict,
                parallel_tool_calls=parallel_tool_calls,
                response_format=response_format,
                deferred=bool(kwargs.get("deferred_tools", self.deferred_tools)),
                **kwargs,
            )
        )

    # The overloads differ in the first line of their arguments.
    # fmt: off
    @overload
    def with_structured_output(
        self, schema: type[T], *, include_raw: Literal[False] = False,
        method: "Method | None" = None, strict: bool | None = None, repair: int = 0, partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, T]: ...
    @overload
    def with_structured_output(
        self, schema: dict[str, Any] | None = None, *, include_raw: bool = False,
        method: "Method | None" = None, strict: bool | None = None, repair: int = 0, partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self, schema: dict[str, Any] | type | None = None, *, include_raw: Literal[True],
        method: "Method | None" = None, strict: bool | None = None, repair: int = 0, partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any]]: ...
    @overload
    def with_structured_output(
        self, schema: dict[str, Any] | type | None = None, *, include_raw: bool = False,
        method: "Method | None" = None, strict: bool | None = None, repair: int = 0, partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]: ...
    # fmt: on

    def with_structured_output(  # noqa: PLR0913 - its options, by name
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: "Method | None" = None,
        include_raw: bool = False,
        strict: bool | None = None,
        repair: int = 0,
        partial: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a runnable whose result is an object of the schema.

        The result is never None, unless a JSON schema allows null: a reply without a valid object raises an error.
        Streams of dict schemas yield growing dicts; streams of pydantic classes yield one object at the end, and so
        does a stream whose forced tool call arrives as markup in the text. Only providers that support the requested
        format serve the request (`provider.require_parameters`), unless the preferences set that field.

        Args:
            schema: A pydantic class (v2 or v1), a TypedDict, a JSON schema or an OpenAI function.
            method: `"function_calling"` (a forced tool call), `"json_schema"`, or `"json_mode"` (the schema is in the
                prompt). None chooses the first of these that the model supports in this request. A reasoning Kimi model
                refuses forced calls, so `"function_calling"` then only offers it the tool, with a warning.
            include_raw: Whether to return a dict of `raw`, `parsed` and `parsing_error` instead of raising an error.
            strict: Whether the provider must enforce the schema. None leaves it to the provider; but if `method` is
                None too, no provider is named, and strict mode needs no other schema, the schema is sent as strict.
            repair: 1 sends an invalid reply back to the model once, with its errors. The raw message then has the
                tokens and the cost of both replies, `response_metadata["attempts"]` has both, and a stream yields only
                the final object.
            partial: Whether a stream of a pydantic class yields growing objects. They are not validated: missing fields
                are absent or have their defaults, and nested values are dicts. The last object is complete and valid.
            **kwargs: Further parameters to bind. With a JSON method, the model may call the `tools` among them instead.

        Raises:
            ValueError: The method is unknown, or it needs a schema and `schema` is None.
        """
        from langchain_kimi._structured.plan import structured_output  # noqa: PLC0415 - imported when needed

        return structured_output(
            self,
            schema,
            method=method,
            include_raw=include_raw,
            strict=strict,
            repair=repair,
            partial=partial,
            **kwargs,
        )

    def _count(
        self, messages: LanguageModelInput, tools: Sequence[Any] | None, *, is_part: bool = False
    ) -> "TokenCount":
        conversation = self._convert_input(messages).to_messages()
        body = _tokens.model.body_to_count(conversation, tools, self.model_name, wire_parameters(self).get("provider"))
        return _tokens.model.count(body, conversation, counting(self), is_part=is_part)

    def get_token_ids(self, text: str) -> list[int]:
        """Return the token ids of a text. Without Kimi's vocabulary, they are 0, 1, 2, ..., as many as estimated."""
        return _tokens.model.token_ids(text, self.model_name, counting(self))

    def get_num_tokens(self, text: str) -> int:
        """Return the number of tokens of a text, without a chat template."""
        return _tokens.model.count_text(text, self.model_name, counting(self))

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Return the number of tokens of a prompt, including the tools and the chat template; see `count_tokens`.

        The messages may be any part of a conversation, as in calls by `trim_messages`. Adding a message never lowers
        the count: a system message counts as at least 18 tokens, the size of the default that some hosts insert, and
        the usage and the provider of earlier replies are ignored.
        """
        return self._count(messages, tools, is_part=True).tokens

    def count_tokens(self, messages: LanguageModelInput, tools: "Sequence[Tool] | None" = None) -> "TokenCount":
        """Count the tokens of a prompt, and return the number with its accuracy.

        Providers render prompts differently. The count is for the provider that the preferences name, or else for the
        provider of the last reply. It starts from the usage of that reply, unless the two differ by more than an
        eighth, which means that the conversation was shortened in the meantime.

        Args:
            messages: The conversation, in any form that `invoke` accepts.
            tools: Tools in any form that `bind_tools` accepts.

        Raises:
            KimiUsageError: A message or a tool cannot be sent, or there is no vocabulary at `tokenizer_file`.
        """
        return self._count(messages, tools)

    def estimate_cost(
        self,
        messages: LanguageModelInput,
        tools: "Sequence[Tool] | None" = None,
        max_tokens: int | None = None,
        prices: Mapping[str, float] | None = None,
    ) -> "CostEstimate":
        """Estimate the cost of a call offline.

        Hosts differ in prices and token counts, and plugins cost extra. The amount paid is the reply's `cost`.

        Args:
            messages: The conversation, in any form that `invoke` accepts.
            tools: Tools in any form that `bind_tools` accepts.
            max_tokens: The limit of the reply; by default that of the settings, or else that of the model.
            prices: US dollars per million tokens, `{"prompt": 0.6, "completion": 2.5}`; by default the list prices.

        Raises:
            KimiUsageError: There are no prices for the model, or a message, a tool, the limit or a price is invalid.
        """
        tokens = _tokens.model
        own_limit = checked({"max_tokens": max_tokens})["max_tokens"]
        price = tokens.prices_of([self.model_name, *(self.models or ())], prices, wire_parameters(self).get("provider"))
        prompt = self.count_tokens(messages, tools)
        limit = own_limit or self.max_tokens or self.max_completion_tokens
        return tokens.estimate(prompt, price, limit or tokens.max_reply_tokens(self.profile, prompt.tokens), self.n)

    def continue_reply(self, message: AIMessage, messages: LanguageModelInput, **kwargs: Any) -> AIMessage:
        """Request the rest of a truncated reply, and return the whole reply as one message.

        The result depends on whether the provider continues a trailing assistant message (prefill). If it does, the
        texts are joined. If it starts over with the same words, they appear once. If it starts over with other words,
        they cannot be distinguished from a continuation; `provider={"only": [...]}` selects a provider that continues.
        JSON for a `response_format`, and replies that consist of reasoning, cannot be continued.

        Args:
            message: The reply, or the sum of its chunks. Its finish reason is `length`.
            messages: The conversation before the reply, with or without the reply at its end.
            **kwargs: Arguments of the call: `config`, `stop`, and the parameters and tools that were bound.
                `max_tokens` limits the rest only.

        Returns:
            A message with the text, the reasoning, the tokens and the cost of both replies, and the tool calls and
            other metadata of the second one. If its finish reason is `length` again, it can be continued, too.

        Raises:
            KimiUsageError: The reply was not truncated, calls tools or has no text. Nothing was sent.
            KimiError: The call failed.
        """
        conversation = with_beginning(message, self._convert_input(messages).to_messages())
        return joined(message, self.invoke(conversation, **kwargs))

    async def acontinue_reply(self, message: AIMessage, messages: LanguageModelInput, **kwargs: Any) -> AIMessage:
        """Request the rest of a truncated reply asynchronously; see `continue_reply`."""
        conversation = with_beginning(message, self._convert_input(messages).to_messages())
        return joined(message, await self.ainvoke(conversation, **kwargs))

    def submit_batch(self, inputs: Iterable[LanguageModelInput], **kwargs: Any) -> "BatchHandle":
        """Submit inputs to the server's batch API, which answers within 24 hours at about half the price.

        `langchain_kimi.batch.submit` does the same for chains and structured output.

        Args:
            inputs: The inputs, each in any form that `invoke` accepts.
            **kwargs: The options of `langchain_kimi.batch.submit` (`key`, `completion_window`, `config`), and
                parameters of the calls, such as `stop`.

        Raises:
            KimiUsageError: The inputs cannot be sent in one batch, or the server has no batch API. Nothing was sent.
            KimiError: The request failed.
        """
        from langchain_kimi.batch import submitting  # noqa: PLC0415 - a program without batches does not import it

        return submitting.submit_with(self, inputs, kwargs)

    async def asubmit_batch(self, inputs: Iterable[LanguageModelInput], **kwargs: Any) -> "BatchHandle":
        """Submit inputs to the server's batch API asynchronously; see `submit_batch`."""
        from langchain_kimi.batch import submitting  # noqa: PLC0415 - see submit_batch

        return await submitting.asubmit_with(self, inputs, kwargs)

    def catalog(self) -> "Catalog":
        """Return the catalog of this model's server (models, hosts, key, costs), with the model's settings."""
        from langchain_kimi.catalog import Catalog  # noqa: PLC0415 - the catalog imports the settings of models

        return Catalog.of_model(self)

    def acatalog(self) -> "AsyncCatalog":
        """Return the async catalog of this model's server; see `catalog`."""
        from langchain_kimi.catalog import AsyncCatalog  # noqa: PLC0415 - see catalog

        return AsyncCatalog.of_model(self)

    def refresh(self) -> "Refreshed":
        """Fetch the current profiles and prices of all Kimi models, and the hosts of this model and its fallbacks.

        From now on, all models of this process use these prices, and so do later processes (see `Catalog.refresh`).
        This model and new models have the new profile, unless the user set one.

        Raises:
            KimiError: The data could not be fetched. Nothing was changed.
        """
        with refreshing_profile(self):
            return self.catalog().refresh(self.model_name, *(self.models or ()))

    async def arefresh(self) -> "Refreshed":
        """Fetch the current profiles and prices asynchronously; see `refresh`."""
        with refreshing_profile(self):
            return await self.acatalog().refresh(self.model_name, *(self.models or ()))

    def close(self) -> None:
        """Release this model's shared sync connections.

        Connections in use are closed when their call ends; new ones are opened on demand.
        """
        clients.close(connection(self))

    async def aclose(self) -> None:
        """Release the shared async connections of the running event loop; see `close`."""
        await clients.aclose(connection(self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


_STREAMS = (ChatKimi._stream, ChatKimi._astream)  # noqa: SLF001 - a subclass may have others, and its events are theirs
for _name in ("stream", "astream", "stream_events", "astream_events"):
    # Not in the class, where type checkers would not see the overloads of langchain-core.
    setattr(ChatKimi, _name, reporting(getattr(BaseChatModel, _name)))
