"""One call of a model: its request, and the reader of its reply."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage

from langchain_kimi import _reply, _tokens
from langchain_kimi._constructor import NOT_NEEDED, with_extra_body
from langchain_kimi._costs.slots import admitted_slot, take_slot
from langchain_kimi._keys import aresolve, is_key, resolve
from langchain_kimi._kimi.families import family
from langchain_kimi._kimi.incoming import RepairOptions
from langchain_kimi._kimi.outgoing import changes_of_choice, changes_of_tools, check_and_repair
from langchain_kimi._kimi.repairs import chosen_repairs
from langchain_kimi._openrouter.host import for_host
from langchain_kimi._openrouter.http.calls import Call
from langchain_kimi._openrouter.http.connection import Connection, Timeout
from langchain_kimi._openrouter.http.endpoint import HIDDEN, attribution_headers, check_header, request_headers
from langchain_kimi._openrouter.later_tools import with_last_effort, with_tools_in_place
from langchain_kimi._openrouter.parameters.merging import FIELDS, wire_parameters
from langchain_kimi._openrouter.parameters.rules import TYPO_RATIO, closest, described
from langchain_kimi._openrouter.reply.reading import ResponseHead
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi._openrouter.wire import WireBody
from langchain_kimi._profile import profile_of, takes_later_tools
from langchain_kimi._reply.collected import CollectedMessage, is_collected
from langchain_kimi._reply.plain import PlainMessage
from langchain_kimi._reply.streamed import CoalescedMessage, StreamedMessage
from langchain_kimi._request.body import INTERNAL, OF_THE_CALL, body_bytes, call_ids_in, request_body
from langchain_kimi._request.routing import keep_together
from langchain_kimi._settings import KimiSettings, chosen_host
from langchain_kimi._tracing import RetryReport
from langchain_kimi.errors import KimiUsageError

if TYPE_CHECKING:
    from langchain_kimi._tokens.model import Counting

logger = logging.getLogger("langchain_kimi")

_NAMES = frozenset({*FIELDS, *INTERNAL, *OF_THE_CALL, "model", "model_name"})
_FOR_THE_CONSTRUCTOR = "Pass it to the constructor: a model calls one server."
_UNSENT = {
    "messages": "Pass them as the input of the call.",
    **dict.fromkeys(("extra_query", "default_query"), "Put what the server needs into base_url or into extra_headers."),
    "headers": "Pass them as extra_headers.",
    **dict.fromkeys(("base_url", "openrouter_api_base", "openai_api_base"), _FOR_THE_CONSTRUCTOR),
    **dict.fromkeys(
        ("default_headers", "http_client", "http_async_client", "proxy", "verify", "host", "transport"),
        "Pass it to the constructor.",
    ),
}
"""Arguments of other chat models and of the constructor, which would be sent as parameters, sometimes with secrets, and
what to do instead."""


def sync_call(  # noqa: PLR0913 - LangChain's arguments
    settings: KimiSettings,
    messages: Sequence[BaseMessage],
    stop: list[str] | None,
    run_manager: Any,
    arguments: Mapping[str, Any],
    *,
    streamed: bool,
    events_of: str | None = None,
) -> Call[Any]:
    """Return a sync call with the model's key; `stop` is one of its arguments. See `new_call`.

    Raises:
        KimiError: The key, the arguments or a budget do not allow the call.
    """
    key = resolve(settings.openrouter_api_key, chosen_host(settings))
    report = RetryReport(run_manager, take_slot())
    arguments = _with_stop(arguments, stop)
    return new_call(settings, messages, arguments, report, key=key, streamed=streamed, events_of=events_of)


async def async_call(  # noqa: PLR0913 - LangChain's arguments
    settings: KimiSettings,
    messages: Sequence[BaseMessage],
    stop: list[str] | None,
    run_manager: Any,
    arguments: Mapping[str, Any],
    *,
    streamed: bool,
    events_of: str | None = None,
) -> Call[Any]:
    """Return an async call with the model's key, when the budgets have admitted it; see `sync_call`."""
    key = await aresolve(settings.openrouter_api_key, chosen_host(settings))
    report = RetryReport(run_manager, await admitted_slot())
    arguments = _with_stop(arguments, stop)
    return new_call(settings, messages, arguments, report, key=key, streamed=streamed, events_of=events_of)


def _with_stop(arguments: Mapping[str, Any], stop: list[str] | None) -> Mapping[str, Any]:
    return arguments if stop is None else {**arguments, "stop": stop}


def new_call(  # noqa: PLR0913 - all values on which a call depends
    settings: KimiSettings,
    messages: Sequence[BaseMessage],
    arguments: Mapping[str, Any],
    report: RetryReport,
    *,
    key: str,
    streamed: bool,
    events_of: str | None = None,
) -> Call[Any]:
    """Return a call that is ready to be made.

    Args:
        settings: The model's settings.
        messages: The conversation.
        arguments: The arguments of the call.
        report: The object that retries are reported to.
        key: The API key, or an empty string.
        streamed: Whether the reply is streamed.
        events_of: The id of the message whose protocol events the call yields; None for its chunks.

    Raises:
        KimiUsageError: An argument or a message cannot be sent.
        KimiContextOverflowError: `check_context` is set and the prompt does not fit.
    """
    unrepaired, body = bodies(settings, messages, arguments, profile_of(settings), streamed=streamed)
    content = body_bytes(body_for_host(settings, body, arguments, streamed=streamed))
    here = connection(settings, arguments.get("timeout", arguments.get("request_timeout")))
    reader = _streamed_reader(settings, arguments, events_of) if streamed else PlainMessage

    def new_reader(head: ResponseHead) -> Any:
        report.begin_reply(head)
        changes = {**changes_of_choice(unrepaired, body), **changes_of_tools(unrepaired, body)}
        options = repair_options(settings, messages, empty_answers=report.empty_answers, **changes)
        return reader(head, body=body, idle=here.timeout.idle, repair_options=options)

    if settings.log_bodies:
        logger.debug("POST %s %s", here.url, content.decode())
    return Call(
        connection=here,
        headers=headers(settings, arguments.get("extra_headers"), key=key, streamed=streamed),
        body=content,
        new_reader=new_reader,
        retries=settings._retries(arguments.get("max_retries"), arguments.get("retry_empty")),  # noqa: SLF001 - for tests
        report=report,
        model=body.get("model"),
        run_id=report.run_id,
        clock=settings._clock(),  # noqa: SLF001 - for tests
        own_names=lambda: changes_of_tools(unrepaired, body).get("tool_names", {}),
    )


def _streamed_reader(settings: KimiSettings, arguments: Mapping[str, Any], events_of: str | None) -> Callable[..., Any]:
    """Return the class that reads a stream, with its first arguments; see `new_call`."""
    reader: Callable[..., Any] = CoalescedMessage if settings.coalesce else StreamedMessage
    if is_collected(settings):
        reader = CollectedMessage
    if events_of is not None:
        reader = partial(_reply.events.EventMessage, message_id=events_of)
    return partial(reader, with_usage=_with_usage(settings, arguments))


def bodies(
    settings: KimiSettings,
    messages: Sequence[BaseMessage],
    arguments: Mapping[str, Any],
    profile: Mapping[str, Any] | None,
    *,
    streamed: bool,
) -> tuple[WireBody, WireBody]:
    """Return a request's body in OpenRouter's form, before and after the repairs.

    Args:
        settings: The model's settings.
        messages: The conversation.
        arguments: The arguments of the call.
        profile: The model's profile, for `check_context`; None if it is not known.
        streamed: Whether the reply is streamed.

    Raises:
        KimiUsageError: An argument or a message cannot be sent.
        KimiContextOverflowError: `check_context` is set and the prompt does not fit.
    """
    parameters = {name: value for name, value in _checked(arguments).items() if name not in OF_THE_CALL}
    unrepaired = request_body(
        messages,
        model=settings.model_name,
        settings={**wire_parameters(settings), **settings.model_kwargs},
        arguments=parameters,
        streamed=streamed,
    )
    if not (chosen_host(settings).is_openrouter and family(unrepaired["model"]) is None):
        unrepaired = with_last_effort(unrepaired)
    body = keep_together(
        check_and_repair(unrepaired, chosen_repairs(settings.repairs)),
        messages,
        parameters,
        auto_session=settings.auto_session,
        sticky_provider=settings.sticky_provider,
    )
    if settings.check_context:
        own_profile = profile if body["model"] == settings.model_name else None
        _tokens.model.check_context(body, messages, counting(settings), own_profile)
    return unrepaired, body


def body_for_host(settings: KimiSettings, body: WireBody, arguments: Mapping[str, Any], *, streamed: bool) -> WireBody:
    """Return the body in the form of the model's host."""
    host = chosen_host(settings)
    placed = with_tools_in_place(body, in_messages=takes_later_tools(body["model"], host))
    return for_host(placed, host, streamed=streamed, with_usage=_with_usage(settings, arguments))


def headers(settings: KimiSettings, extra: Mapping[str, str] | None, *, key: str, streamed: bool) -> dict[str, str]:
    """Return the headers of a request. `extra` replaces `default_headers`, which replace headers of the package.

    Raises:
        KimiUsageError: One of the call's headers cannot be sent.
    """
    is_openrouter = chosen_host(settings).is_openrouter
    attribution = (
        attribution_headers(settings.app_url, settings.app_title, settings.app_categories) if is_openrouter else {}
    )
    users_headers = _users_headers(settings.default_headers or {}, extra) if settings.default_headers or extra else None
    result = request_headers(key, attribution, users_headers, streamed=streamed)
    return result if key else {name: value for name, value in result.items() if value != "Bearer "}


def _users_headers(default_headers: Mapping[str, str], extra: Mapping[str, str] | None) -> dict[str, str]:
    """Return the user's headers: those of a call replace those of the model. See `headers`."""
    try:
        for name, value in (extra or {}).items():
            check_header(name, value)
    except ValueError as error:
        raise KimiUsageError(f"A header of extra_headers cannot be sent. {error}") from None
    except (AttributeError, TypeError):
        raise KimiUsageError("extra_headers must be a dict of strings.") from None
    replaced = {name.lower() for name in extra or {}}
    return {
        **{name: value for name, value in default_headers.items() if name.lower() not in replaced},
        **(extra or {}),
    }


def visible_headers(settings: KimiSettings, extra: Mapping[str, str] | None, *, streamed: bool) -> dict[str, str]:
    """Return the headers of a request with the key and the user's own values replaced by asterisks.

    Raises:
        KimiUsageError: One of the call's headers cannot be sent.
    """
    shown = headers(settings, extra, key=HIDDEN if settings.openrouter_api_key else "", streamed=streamed)
    hidden = {"authorization", *(name.lower() for name in (*(settings.default_headers or {}), *(extra or {})))}
    return {name: HIDDEN if name.lower() in hidden else value for name, value in shown.items()}


def connection(settings: KimiSettings, timeout: Any = None) -> Connection:
    """Return the address, the time limits and the HTTP clients of a call; `timeout` replaces that of the settings."""
    return Connection(
        base_url=settings.openrouter_api_base or "",
        timeout=Timeout.of(settings.request_timeout if timeout is None else timeout),
        http_client=settings.http_client,
        http_async_client=settings.http_async_client,
        verify=settings.verify,
        proxy=settings.proxy,
        max_connections=settings.max_connections,
        transport=settings.transport,
    )


def repair_options(settings: KimiSettings, messages: Sequence[BaseMessage], **facts: Any) -> RepairOptions:
    """Return the repairs of the reply to a conversation; `facts` are the remaining fields of `RepairOptions`."""
    return RepairOptions(
        chosen_repairs(settings.repairs), partial(call_ids_in, messages), settings.validate_tool_calls, **facts
    )


def counting(settings: KimiSettings) -> "Counting":
    """Return the settings of the token counts."""
    encode = getattr(settings, "custom_get_token_ids", None)
    return _tokens.model.Counting(settings.openrouter_api_base or "", settings.tokenizer_file, encode)


_CONTAINERS = ("extra_body", "model_kwargs")


def _checked(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Check the names of a call's arguments, and take the entries of `extra_body` and `model_kwargs` out of them.

    Raises:
        KimiUsageError: The model is not a text, or an argument cannot be sent.
    """
    if arguments.keys() <= _NAMES:
        _check_model(arguments)
        return arguments
    for container in _CONTAINERS:
        if container not in arguments:
            continue
        if arguments[container] is not None:
            warn_user(f"{container}{NOT_NEEDED}")
        try:
            arguments = with_extra_body(arguments, container)
        except ValueError as error:
            raise KimiUsageError(f"Nothing was sent. {error}") from None
    unknown = arguments.keys() - _NAMES
    unsent = {**_UNSENT, **dict.fromkeys(filter(is_key, unknown), "Pass the key to the constructor, as api_key.")}
    if wrong := next((name for name in unsent if arguments.get(name) is not None), None):
        raise KimiUsageError(f"Nothing was sent. {wrong} is not a parameter.", advice=unsent[wrong])
    for name in unknown - unsent.keys():
        if meant := closest(name, sorted(_NAMES), TYPO_RATIO):
            warn_user(f"{name} is not a parameter that this package knows; did you mean {meant}? It is sent as it is.")
    _check_model(arguments)
    return {name: value for name, value in arguments.items() if name not in unsent}


def _check_model(arguments: Mapping[str, Any]) -> None:
    for name in ("model", "model_name"):
        value = arguments.get(name)
        if value is not None and not isinstance(value, str):
            raise KimiUsageError(f"Nothing was sent. {name} must be the slug of a model, got {described(value)}.")


def _with_usage(settings: KimiSettings, arguments: Mapping[str, Any]) -> bool:
    stream_usage = arguments.get("stream_usage")
    return settings.stream_usage if stream_usage is None else bool(stream_usage)
