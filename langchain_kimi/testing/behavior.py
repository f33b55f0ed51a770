"""How the emulated OpenRouter behaves: the habits of its hosts, each a switch."""

from dataclasses import dataclass
from typing import Literal

CallIdStyle = Literal["name:index", "functions.name:index", "call", "hex", "repeated"]
Continuation = Literal[
    "bare", "typed", "null_id", "null_id_and_name", "empty_id_and_type", "empty_type", "empty_name", "repeated"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    """The switches of the emulator; the defaults are what OpenRouter and Moonshot AI do in 2026.

    Change some with `dataclasses.replace(emulator.behaviour, pause=0.1)` or `emulator.behave(pause=0.1)`.
    """

    provider: str | None = None
    """The host's display name; none: the first that `provider.order` or `.only` names, else Moonshot AI."""
    canonical_model: bool = True
    """Answer with the dated name of a known Kimi, as OpenRouter does since 2026; otherwise echo what was asked."""
    system_fingerprint: str | None = "fpv0_00000000"
    strict: bool = True
    """Refuse what OpenRouter or its hosts refuse."""
    requires_reasoning: bool = False
    """Refuse an assistant's tool-call turn without its reasoning while the model thinks, as Moonshot AI does."""
    refuses_forced_tool_choice: bool = False
    """Refuse a forced tool while the model thinks, as Moonshot AI does."""
    moonshot_schemas: bool = False
    """Refuse tool schemas in dialects that Moonshot AI is known to refuse."""

    reasoning: bool | None = None
    """Think in every reply, or in none; none of the two: as the model does and the request asks."""
    prompt_cache: bool = True
    """Count the part of a prompt that came before as cached."""

    call_ids: CallIdStyle = "name:index"
    call_numbering: Literal["conversation", "turn"] = "conversation"
    """Whether the number in an id goes on counting over the conversation or begins anew in each turn."""
    arguments: Literal["sliced", "whole"] = "sliced"
    """Tool arguments token by token after an opening delta, or the whole call in one delta."""
    continuation: Continuation = "bare"
    """What a later delta of a tool call carries beside its index and arguments."""
    trailing_arguments: str | None = None
    """One more continuation after the arguments are whole: empty, or white space."""
    opening_arguments: bool = True
    """Whether the first delta of a sliced call has an (empty) `arguments`."""
    omits_empty_arguments: bool = False
    """Leave `arguments` out of a call that has none."""
    all_index_zero: bool = False
    """Give every parallel call the index 0."""

    usage_era: Literal["A", "B", "C"] = "C"
    """The last chunk as of 2025 (null finish), of March 2026 (no choices) or since (finish reason repeated)."""
    delta_tokens: int = 1
    """How many tokens a text delta holds."""
    pause: float = 0.0
    """Seconds between two events of a stream, or before a plain body."""
    comments: bool = True
    """Send keep-alive comments in streams and white space before plain bodies."""
