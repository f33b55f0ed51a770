"""Sample hosts for the emulator, whose answers and speed differ: `Emulator(behavior=Behavior(hosts=SAMPLE_HOSTS))`.

Their names are made up. Without them, the emulator lists Kimi's providers, which all behave alike.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from langchain_kimi._kimi.families import family
from langchain_kimi._openrouter.wire import JSONObject
from langchain_kimi.testing import responder
from langchain_kimi.testing.catalog import Model
from langchain_kimi.testing.faults import leaked_markup
from langchain_kimi.testing.rejections import RejectedRequestError
from langchain_kimi.testing.replies import Reply, ToolCall
from langchain_kimi.testing.responses import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedHost:
    """A host of every model.

    Attributes:
        tag: Its slug for `provider.only`, `order` and `ignore`.
        name: Its display name, the `provider` of replies.
        price: The factor of its prices to those of the model.
        quantization: The precision of its weights.
        lacks: The parameters that it does not support.
        no_required: Whether it refuses to be forced to call a tool, in the list of endpoints.
        uptime: The uptime of the last day, in percent.
        latency: Milliseconds to the first token, in the list of endpoints.
        throughput: Tokens per second, in the list of endpoints.
        pause: Seconds between two events of a stream, or before a plain body.
        leaks: Whether it leaves tool calls as markup in the text.
        ignores_schemas: Whether its arguments and its JSON do not fit the schemas of the request.
        fails: Whether every request fails with 502.
    """

    tag: str
    name: str
    price: float = 1.0
    quantization: str = "fp8"
    lacks: tuple[str, ...] = ()
    no_required: bool = False
    uptime: float = 99.9
    latency: float = 600.0
    throughput: float = 60.0
    pause: float = 0.0
    leaks: bool = False
    ignores_schemas: bool = False
    fails: bool = False

    def priced(self, model: Model) -> Model:
        """Return a model with the prices of this host."""
        return replace(
            model,
            prompt_price=model.prompt_price * self.price,
            completion_price=model.completion_price * self.price,
            cache_price=model.cache_price * self.price,
        )

    def reply(self, body: JSONObject, model: Model) -> Reply | Fault:
        """Return the reply to a request, in the way of this host.

        Raises:
            RejectedRequestError: The host fails (status 502).
        """
        if self.fails:
            raise RejectedRequestError(502, "Provider returned error", {"provider_name": self.name, "raw": "down"})
        reply = responder.reply_to(body)
        if self.ignores_schemas:
            reply = _without_schemas(reply, body)
        if self.leaks and reply.calls:
            kimi = family(model.slug)
            return leaked_markup(form="K3" if kimi and kimi.template == "k3" else "K2").on(reply)
        return reply


SAMPLE_HOSTS = (
    EmulatedHost(tag="steady", name="Steady"),
    EmulatedHost(tag="leaky", name="Leaky", price=0.8, quantization="fp4", leaks=True),
    EmulatedHost(tag="careless", name="Careless", price=0.7, quantization="int4", ignores_schemas=True),
    EmulatedHost(
        tag="slow",
        name="Slow",
        price=0.9,
        pause=0.02,
        latency=4_000.0,
        throughput=9.0,
        lacks=("structured_outputs",),
        no_required=True,
    ),
    EmulatedHost(tag="broken", name="Broken", price=0.6, uptime=41.0, fails=True),
    EmulatedHost(tag="expensive", name="Expensive", price=5.0, quantization="bf16", latency=250.0, throughput=180.0),
)
"""A host without faults, and one each that leaks, ignores schemas, is slow, fails, and is expensive."""


def route(hosts: Sequence[EmulatedHost], body: JSONObject, *, number: int | None = None) -> EmulatedHost:
    """Return the host that serves a request, by its provider preferences. Failing hosts are the last choice.

    Args:
        hosts: The hosts.
        body: The request.
        number: The number of the request, if requests are spread over the hosts; all of one `session_id` have the same
            host then.

    Raises:
        RejectedRequestError: The preferences exclude all hosts (status 404).
    """
    routing = body.get("provider") or {}
    order, only, ignored = (routing.get(name) or () for name in ("order", "only", "ignore"))
    able = [host for host in hosts if host.tag not in ignored and (not only or host.tag in only)]
    if number is not None and able:
        text = str(body.get("session_id") or f"request {number}")
        first = int(hashlib.sha256(text.encode()).hexdigest(), 16) % len(able)
        able = able[first:] + able[:first]
    able.sort(key=lambda host: order.index(host.tag) if host.tag in order else len(order))
    if routing.get("allow_fallbacks") is False:
        able = able[:1]
    if not able:
        raise RejectedRequestError(404, "No allowed providers are available for the selected model.")
    return next((host for host in able if not host.fails), able[0])


def _without_schemas(reply: Reply, body: JSONObject) -> Reply:
    if reply.calls:
        calls = [ToolCall(call.name, {"answer": "unrelated to the schema"}) for call in reply.calls]
        return replace(reply, tool_calls=calls)
    is_json = (body.get("response_format") or {}).get("type") == "json_schema"
    return replace(reply, text="Here is your answer, in words.") if is_json else reply
