"""The registry of repairs: the name, the effect, the stage and the default of each one.

A repair is one entry and one function or class. The entry's field shows when the function runs:

- `on_request`: on the body of a request.
- `on_response`: on the choices of a response, event by event and at the end, before its tool calls are read.
- `on_arguments`: on the arguments of each tool call, while they are streamed.

Repairs that need all calls of a response have no function here: `IncomingCalls` performs `duplicate_calls`,
`call_names` and `call_ids`, and `LeakedMarkup` performs `markup`.

The `repairs` setting and the counts in `response_metadata["kimi"]["repairs"]` use the same names. The table in
`docs/parameters.md` is generated from the entries.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, get_args

from langchain_kimi._kimi.call_ids import with_distinct_ids, with_positional_ids
from langchain_kimi._kimi.families import KimiFamily
from langchain_kimi._kimi.forced_choice import without_forced_choice
from langchain_kimi._kimi.history import with_pairs, without_blanks
from langchain_kimi._kimi.markup.grammar import has_markers
from langchain_kimi._kimi.think_mentions import closes_thoughts
from langchain_kimi._kimi.think_tags import ThinkTags
from langchain_kimi._kimi.tool_names import with_accepted_names
from langchain_kimi._kimi.turns import with_results_in_place, without_empty_turns
from langchain_kimi._openrouter.wire import JSONObject, WireBody, WireChoice, WireMessage

Stage = Literal["request", "event", "end"]
"""When a repair runs: before a request is sent, on each event of a response, or at the end of a response."""

Calls = Literal["none", "in place", "misplaced"]
"""The tool calls of a conversation: none, all directly followed by their results, or others."""

Repairs: TypeAlias = frozenset[str]
"""The names of the repairs that are switched on."""

RepairChoice: TypeAlias = str | bool | Iterable[str] | None
"""The `repairs` setting: `"all"`, `"none"`, True or None (all), False (none), or names, which may include `"all"`."""

RequestRepair: TypeAlias = Callable[[WireBody, KimiFamily], WireBody]
"""Returns the body to send to a model of the family: a changed copy, or the same body if it needs no repair."""


class ResponseRepair(Protocol):
    """Repairs the choices of one response.

    Attributes:
        count: The number of repairs so far.
    """

    count: int

    @property
    def is_done(self) -> bool:
        """Whether all later choices pass unchanged. It is read after each choice; a repair that is done is skipped."""

    def repair(self, choice: WireChoice) -> WireChoice:
        """Take the choice of the next event, and return it repaired; the same object if it needs no repair.

        A plain response is one choice, with its message both as `message` and as `delta`. Parts that may turn out to be
        wrong can be left out of the delta and returned later.
        """

    def close(self, *, is_cut: bool) -> WireMessage:
        """Take the end of a response, and return the parts that are still held back."""


class ArgumentRepair(Protocol):
    """Repairs the arguments of one tool call, as `ArgumentStream` does.

    Attributes:
        decoded: The number of repairs so far.
    """

    decoded: int

    def pass_unchanged(self, text: str) -> bool:
        """Take the next delta if it needs no repair; return whether it was taken.

        It is correct, though slower, to return False always.
        """

    def feed(self, text: str) -> str:
        """Take the next delta, which is not empty, and return the text that can be passed on."""

    def close(self) -> str:
        """Take the end of the call, and return the rest of the arguments."""


BeginResponse: TypeAlias = Callable[[Mapping[str, Any]], ResponseRepair]
"""Takes the body of a request and returns the repair of its response's choices."""

ArgumentsInMarkup: TypeAlias = Callable[[str], str | None]
"""Returns the arguments of the call if a text is the whole call as markup."""

BeginArguments: TypeAlias = Callable[[JSONObject | None, ArgumentsInMarkup], ArgumentRepair]
"""Takes the schema of a tool (None for an unknown tool) and returns the repair of the arguments of one call."""


class Repair(NamedTuple):
    """One repair.

    Attributes:
        name: The name in settings and counts.
        summary: One sentence for users.
        stages: When it runs.
        is_default: Whether `"all"` includes it.
        on_request: Returns the repaired body of a request. It is not called for a request without tools whose messages
            are texts alone.
        on_response: Returns the repair of a new response.
        on_arguments: Returns the repair of the arguments of a new call.
        may_change: Returns whether the repair may change a plain response with a given text and without tools. None: it
            may change any if it has `on_response`, otherwise none. Plain responses that no repair may change are read
            on a faster path.
        applies_to: The conversations that `on_request` may change, by their tool calls.
    """

    name: str
    summary: str
    stages: tuple[Stage, ...]
    is_default: bool = True
    on_request: RequestRepair | None = None
    on_response: BeginResponse | None = None
    on_arguments: BeginArguments | None = None
    may_change: Callable[[str], bool] | None = None
    applies_to: tuple[Calls, ...] = get_args(Calls)


def _on_messages(repair: Callable[[list[WireMessage]], list[WireMessage]]) -> RequestRepair:
    """Return the repair of a body that applies a repair of messages to its messages."""

    def repaired(body: WireBody, kimi: KimiFamily) -> WireBody:
        del kimi
        messages = repair(body["messages"])
        return body if messages is body["messages"] else {**body, "messages": messages}

    return repaired


def _on_body(repair: Callable[[WireBody], WireBody]) -> RequestRepair:
    """Return the repair of a body that is the same for all families."""

    def repaired(body: WireBody, kimi: KimiFamily) -> WireBody:
        del kimi
        return repair(body)

    return repaired


def _positional_ids(body: WireBody, kimi: KimiFamily) -> WireBody:
    return _on_messages(with_positional_ids if kimi.positional_call_ids else with_distinct_ids)(body, kimi)


def _with_schemas(body: WireBody) -> WireBody:
    tools = body.get("tools")
    if not tools:
        return body
    # A request without tools does not import it.
    from langchain_kimi._kimi.schemas import with_moonshot_schemas  # noqa: PLC0415 - imported when used

    rewritten = with_moonshot_schemas(tools)
    return body if rewritten is tools else {**body, "tools": rewritten}


def _arguments(schema: JSONObject | None, arguments_in_markup: ArgumentsInMarkup) -> ArgumentRepair:
    # A reply without tool calls does not import it.
    from langchain_kimi._kimi.call_arguments import ArgumentStream  # noqa: PLC0415 - imported when used

    return ArgumentStream(schema, arguments_in_markup)


_ENTRIES = (
    Repair(
        "markup",
        "Tool calls that a host left as Kimi's markup in the text or the reasoning become tool calls; stray markers, "
        "and turns after the end of Kimi's own, are removed, also from replies of Kimi without tools.",
        ("event", "end"),
        may_change=has_markers,
    ),
    Repair(
        "think_tags",
        "Thoughts between `<think>` and `</think>`, or in K3's channel, at the start of the text become reasoning. If "
        "the opening tag is missing, the model reasons and no reasoning came, a stream is held back until the closing "
        "tag.",
        ("event", "end"),
        on_response=ThinkTags,
        may_change=closes_thoughts,
    ),
    Repair(
        "arguments",
        "Arguments, or values in them, that were encoded twice are decoded; markers, code fences and a whole call in "
        "markup around the arguments are removed, and repeated arguments count once.",
        ("event", "end"),
        on_arguments=_arguments,
    ),
    Repair(
        "duplicate_calls",
        "A call that occurs twice in one response, with the same id, name and arguments, becomes one call.",
        ("event", "end"),
    ),
    Repair(
        "call_names",
        "`functions.`, `:0` and arguments are removed from the name of a call (the arguments are used if there are no "
        "others), and an empty name is read from the call's id.",
        ("event", "end"),
    ),
    Repair(
        "tool_names",
        "Tool names that hosts refuse (a leading digit, dots, slashes, blanks, more than 64 characters) are replaced "
        "in requests and restored in responses.",
        ("request", "event", "end"),
        on_request=_on_body(with_accepted_names),
    ),
    Repair(
        "tool_choice",
        "A forced call, which Kimi refuses while it reasons, becomes the nearest `tool_choice` that it accepts.",
        ("request",),
        on_request=_on_body(without_forced_choice),
    ),
    Repair(
        "orphans",
        "Results without a call are removed. Calls without a result get one, which says that they were interrupted.",
        ("request",),
        is_default=False,
        on_request=_on_messages(with_pairs),
        applies_to=("misplaced",),
    ),
    Repair(
        "tool_results",
        "Tool results are moved directly after their calls, in the order of the calls.",
        ("request",),
        on_request=_on_messages(with_results_in_place),
        applies_to=("misplaced",),
    ),
    Repair(
        "empty_turns",
        "Assistant turns of other models that consist of images or audio, which Moonshot AI refuses, are removed.",
        ("request",),
        on_request=_on_messages(without_empty_turns),
    ),
    Repair(
        "history",
        "Calls without a result and results without a call raise an error before the request is sent (unless `orphans` "
        "is on). Blank content of messages with calls is removed.",
        ("request",),
        on_request=_on_messages(without_blanks),
        applies_to=("in place", "misplaced"),
    ),
    Repair(
        "call_ids",
        "Call ids in requests get the form that Kimi was trained on, and ids in responses are made unique in the "
        "conversation.",
        ("request", "event", "end"),
        on_request=_positional_ids,
        applies_to=("in place", "misplaced"),
    ),
    Repair(
        "schemas",
        "Tool schemas that Moonshot AI refuses are rewritten to equivalent ones that it accepts.",
        ("request",),
        on_request=_on_body(_with_schemas),
    ),
)

REPAIRS = {repair.name: repair for repair in _ENTRIES}
"""All repairs by name, in the order in which they run."""

ON_REQUEST = tuple((repair, repair.on_request) for repair in _ENTRIES if repair.on_request)
"""The repairs of requests, each with its function, in the order in which they run."""

ON_RESPONSE = tuple((repair.name, repair.on_response) for repair in _ENTRIES if repair.on_response)
"""The names and functions of the repairs of responses, in the order in which they run."""

ON_ARGUMENTS = tuple((repair.name, repair.on_arguments) for repair in _ENTRIES if repair.on_arguments)
"""The names and functions of the repairs of arguments, in the order in which they run."""

_TEXT_CHECKS = tuple((repair.name, repair.may_change) for repair in _ENTRIES if repair.on_response or repair.may_change)

ALL: Repairs = frozenset(repair.name for repair in _ENTRIES if repair.is_default)
"""The names that `"all"` stands for."""


def may_change(text: str, repairs: Repairs) -> bool:
    """Return whether one of the repairs may change a plain response that consists of this text."""
    return any(name in repairs and (check is None or check(text)) for name, check in _TEXT_CHECKS)


def chosen_repairs(choice: RepairChoice) -> Repairs:
    """Return the names of the repairs that a setting switches on.

    Raises:
        ValueError: The setting is not a `RepairChoice`, a name is unknown, or `"none"` is combined with other names.
    """
    # A fast path: this function runs twice for each call of a model, and nearly all models use the default.
    if choice == "all" or choice is None or isinstance(choice, bool):
        return frozenset() if choice is False else ALL
    if isinstance(choice, str):
        names = {choice}
    elif isinstance(choice, list | tuple | set | frozenset):
        names = set(map(str, choice))
    else:
        raise ValueError(  # noqa: TRY004 - pydantic reports a ValueError and lets a TypeError pass
            f'repairs must be "all", "none", a bool, or a list, tuple or set of names, not {type(choice).__name__}.'
        )
    if unknown := sorted(names - {*REPAIRS, "all", "none"}):
        raise ValueError(f"repairs: {' '.join(map(_unknown, unknown))} Known names: all, none, {', '.join(REPAIRS)}.")
    if "none" in names and len(names) > 1:
        raise ValueError('repairs: "none" cannot be combined with other names.')
    return frozenset(names - {"all", "none"}) | (ALL if "all" in names else frozenset())


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, (*REPAIRS, "all", "none"), n=1, cutoff=0.5)
    return f"Unknown repair {name!r}" + (f"; did you mean {close[0]!r}?" if close else ".")
