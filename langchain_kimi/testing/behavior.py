"""The switches of the emulated OpenRouter: quirks of its providers."""

from dataclasses import dataclass
from typing import Any, Literal

CallIdStyle = Literal["name:index", "functions.name:index", "call", "hex", "repeated"]
Continuation = Literal[
    "bare", "typed", "null_id", "null_id_and_name", "empty_id_and_type", "empty_type", "empty_name", "repeated"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    """The switches of the emulator. The defaults are the behavior of OpenRouter and Moonshot AI in 2026.

    Change some of them with `emulator.behave(pause=0.1)`.
    """

    provider: str | None = None
    """The provider's display name. None: the first of `provider.order` or `provider.only`, else Moonshot AI."""
    hosts: tuple[Any, ...] = ()
    """The hosts of every model, as `EmulatedHost`s, such as `SAMPLE_HOSTS`. Empty: Kimi's providers, which all
    behave alike."""
    balanced: bool = False
    """Spread requests without `provider.order` and `session_id` over `hosts`, as OpenRouter may do."""
    canonical_model: bool = True
    """Reply with the dated name of a known Kimi model, as OpenRouter does since 2026, else with the requested name."""
    system_fingerprint: str | None = "fpv0_00000000"
    strict: bool = True
    """Reject the requests that OpenRouter or its providers reject."""
    requires_reasoning: bool = False
    """Reject assistant turns with tool calls but without reasoning while the model reasons, as Moonshot AI does."""
    refuses_forced_tool_choice: bool = False
    """Reject a forced tool choice while the model reasons, as Moonshot AI does."""
    later_tools: bool = False
    """Take more tools in system messages without content for Kimi K3, as Moonshot AI's own API does."""
    moonshot_schemas: bool = False
    """Reject tool schemas in dialects that Moonshot AI is known to reject."""

    reasoning: bool | None = None
    """Reason in every reply (True) or in no reply (False). None: as the model and the request say."""
    prompt_cache: bool = True
    """Count repeated prefixes of prompts as cached tokens."""

    call_ids: CallIdStyle = "name:index"
    call_numbering: Literal["conversation", "turn"] = "conversation"
    """Whether the numbers in call ids continue through the conversation or restart in each turn."""
    arguments: Literal["sliced", "whole"] = "sliced"
    """Stream a tool call's arguments token by token after an opening delta, or the whole call in one delta."""
    continuation: Continuation = "bare"
    """The fields of a tool call's later deltas beside its index and arguments."""
    trailing_arguments: str | None = None
    """An additional delta after the complete arguments: empty, or white space."""
    opening_arguments: bool = True
    """Whether the first delta of a sliced call has an (empty) `arguments`."""
    omits_empty_arguments: bool = False
    """Leave out the `arguments` of a call without arguments."""
    all_index_zero: bool = False
    """Send index 0 for every parallel call."""

    usage_era: Literal["A", "B", "C"] = "C"
    """The last chunk as in 2025 (A: null finish reason), March 2026 (B: no choices) or since (C: finish reason)."""
    delta_tokens: int = 1
    """The number of tokens in a text delta."""
    pause: float = 0.0
    """Seconds between two events of a stream, or before a plain body."""
    comments: bool = True
    """Send keep-alive comments in streams and white space before plain bodies."""

    batch_states: tuple[str, ...] = ("in_progress",)
    """The statuses of a batch, a request each, between `validating` and its end."""
    batch_bytes: int | None = None
    """The maximum number of bytes of a submission or of a file. None: 200 MB at OpenRouter, 100 MB at Moonshot."""
    batch_page: int = 0
    """The rows of a page of results at `/batches/{id}/results`; 0 sends all in the batch itself."""
