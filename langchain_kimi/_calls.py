"""One call of a model: the request body of its messages and arguments, and how the reply is read."""

# ruff: noqa: SLF001 - the private methods of the settings are for this module

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_kimi._kimi.outgoing import changes_of_choice, fit
from langchain_kimi._openrouter.host import for_host
from langchain_kimi._openrouter.http.transport import Call
from langchain_kimi._openrouter.parameters.merging import wire_parameters
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi._reply.streamed import CoalescedMessage, StreamedMessage
from langchain_kimi._request.body import OF_THE_CALL, body_bytes, call_ids_in, request_body
from langchain_kimi._request.routing import keep_together
from langchain_kimi._settings import KimiSettings
from langchain_kimi._tokens.model import Counting, check_context
from langchain_kimi._tracing import RetryReport


def new_call(  # noqa: PLR0913 - the values that decide a call
    settings: KimiSettings,
    messages: Sequence[BaseMessage],
    arguments: Mapping[str, Any],
    report: RetryReport,
    profile: Mapping[str, Any] | None,
    *,
    streamed: bool,
) -> Call[Any]:
    """Return a call that is ready to be made.

    Args:
        settings: The model's settings.
        messages: The conversation.
        arguments: The call's own arguments.
        report: The receiver of retries.
        profile: The model's profile.
        streamed: Whether the reply is streamed.

    Raises:
        KimiUsageError: An argument or a message cannot be sent.
        KimiAuthenticationError: There is no key.
        KimiContextOverflowError: `check_context` is set and the prompt does not fit.
    """
    unrepaired, body = bodies(settings, messages, arguments, profile, streamed=streamed)
    with_usage = _with_usage(settings, arguments)
    connection = settings._connection(arguments.get("timeout", arguments.get("request_timeout")))
    repair_options = settings._repair_options(partial(call_ids_in, messages))
    reader: Any = PlainMessage
    if streamed:
        reader = partial(CoalescedMessage if settings.coalesce else StreamedMessage, with_usage=with_usage)

    def new_reader(head: ResponseHead) -> Any:
        details = {"empty_answers": report.empty_answers, **changes_of_choice(unrepaired, body)}
        return reader(head, body=body, idle=connection.timeout.idle, repair_options=replace(repair_options, **details))

    return Call(
        connection=connection,
        headers=settings._headers(arguments.get("extra_headers"), streamed=streamed),
        body=body_bytes(for_host(body, settings._host, streamed=streamed, with_usage=with_usage)),
        new_reader=new_reader,
        retries=settings._retries(arguments.get("max_retries"), arguments.get("retry_empty")),
        report=report,
        model=body.get("model"),
    )


def bodies(
    settings: KimiSettings,
    messages: Sequence[BaseMessage],
    arguments: Mapping[str, Any],
    profile: Mapping[str, Any] | None,
    *,
    streamed: bool,
) -> tuple[WireBody, WireBody]:
    """Return a request's body in OpenRouter's form, before and after the repairs; see `new_call`."""
    parameters = {name: value for name, value in arguments.items() if name not in OF_THE_CALL}
    unrepaired = request_body(
        messages,
        model=settings.model_name,
        settings={**wire_parameters(settings), **settings.model_kwargs},
        given=parameters,
        streamed=streamed,
    )
    body = keep_together(
        fit(unrepaired, settings._repair_options(frozenset).repairs),
        messages,
        parameters,
        auto_session=settings.auto_session,
        sticky_provider=settings.sticky_provider,
    )
    if settings.check_context:
        own_profile = profile if body["model"] == settings.model_name else None
        check_context(body, messages, counting(settings), own_profile)
    return unrepaired, body


def counting(settings: KimiSettings) -> Counting:
    """Return the settings that decide how tokens are counted."""
    encode = getattr(settings, "custom_get_token_ids", None)
    return Counting(settings.openrouter_api_base or "", settings.tokenizer_file, encode)


def _with_usage(settings: KimiSettings, arguments: Mapping[str, Any]) -> bool:
    stream_usage = arguments.get("stream_usage")
    return settings.stream_usage if stream_usage is None else bool(stream_usage)
