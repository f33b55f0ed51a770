"""Keep the accounts of budgets on a Redis server, for the processes of several machines. Requires the extra `redis`."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from langchain_kimi._costs.charges import NO_COST
from langchain_kimi._costs.sqlite_store import to_dollars, to_units
from langchain_kimi._costs.store import Amount, Balance, Charge, Limit, Shortage
from langchain_kimi.errors import KimiUsageError

# Each account is a hash with the fields spent:cost, spent:tokens, reserved:cost and reserved:tokens, and for each call
# in flight call:ID:cost, call:ID:tokens and call:ID:attempts. Redis adds integers of 64 bits exactly. Lua compares them
# as floats, which are exact up to 9,007 dollars and then off by a billionth of a cent.
_LIBRARY = """
local function number(account, name) return tonumber(redis.call('HGET', account, name) or '0') end
local function add(account, name, value) redis.call('HINCRBY', account, name, value) end
local function state(account, unit)
    return {number(account, 'spent:' .. unit), number(account, 'reserved:' .. unit)}
end
local function lack(index, unit, account)
    local spent = redis.call('HGET', account, 'spent:' .. unit) or '0'
    local reserved = redis.call('HGET', account, 'reserved:' .. unit) or '0'
    return {index, unit, spent, reserved}
end
"""
_RESERVE = (
    _LIBRARY
    + """
local call, amount = ARGV[1], {cost = ARGV[2], tokens = ARGV[3]}
local new = {}
for index, account in ipairs(KEYS) do
    if redis.call('HEXISTS', account, 'call:' .. call .. ':cost') == 0 then
        new[#new + 1] = account
        for position, unit in ipairs({'tokens', 'cost'}) do
            local limit = ARGV[3 + 2 * (index - 1) + position]
            local now = state(account, unit)
            local total = now[1] + now[2] + tonumber(amount[unit])
            if limit ~= '' and (now[1] >= tonumber(limit) or total > tonumber(limit)) then
                return lack(index, unit, account)
            end
        end
    end
end
for _, account in ipairs(new) do
    for unit, value in pairs(amount) do
        add(account, 'reserved:' .. unit, value)
        redis.call('HSET', account, 'call:' .. call .. ':' .. unit, value)
    end
end
return {}
"""
)
_ATTEMPT = (
    _LIBRARY
    + """
local call, attempt, charge = ARGV[1], ARGV[2], {cost = ARGV[3], tokens = ARGV[4]}
local shortage = {}
for index, account in ipairs(KEYS) do
    local row = 'call:' .. call .. ':'
    local charged = number(account, row .. 'attempts')
    if redis.call('HEXISTS', account, row .. 'cost') == 1 and charged < tonumber(attempt) then
        redis.call('HSET', account, row .. 'attempts', attempt)
        for position, unit in ipairs({'tokens', 'cost'}) do
            local value = charge[unit]
            if value == '' then value = redis.call('HGET', account, row .. unit) end
            add(account, 'spent:' .. unit, value)
            local limit = ARGV[4 + 2 * (index - 1) + position]
            local now = state(account, unit)
            if #shortage == 0 and limit ~= '' and now[1] + now[2] > tonumber(limit) then
                shortage = lack(index, unit, account)
            end
        end
    end
end
return shortage
"""
)
_SETTLE = (
    _LIBRARY
    + """
local call, charge = ARGV[1], {cost = ARGV[2], tokens = ARGV[3]}
local settled = {}
for index, account in ipairs(KEYS) do
    local row = 'call:' .. call .. ':'
    if redis.call('HEXISTS', account, row .. 'cost') == 1 then
        for unit, value in pairs(charge) do
            local reserved = redis.call('HGET', account, row .. unit)
            if reserved ~= '0' then add(account, 'reserved:' .. unit, '-' .. reserved) end
            if value == '' then value = reserved end
            add(account, 'spent:' .. unit, value)
        end
        redis.call('HDEL', account, row .. 'cost', row .. 'tokens', row .. 'attempts')
        settled[#settled + 1] = index
    end
end
return settled
"""
)
_FIELDS = ("spent:cost", "spent:tokens", "reserved:cost", "reserved:tokens")


class RedisStore:
    """Accounts on a Redis server; each operation is one script, which Redis runs atomically.

    Args:
        url: The URL of the server, such as `redis://localhost:6379/0`.

    Raises:
        KimiUsageError: The package `redis` is not installed.
    """

    is_shared = True

    def __init__(self, url: str) -> None:
        try:
            from redis import Redis  # noqa: PLC0415 - an optional dependency
        except ImportError:
            raise KimiUsageError(
                "A budget on a Redis server needs the package redis.",
                advice="Install langchain-kimi-openrouter[redis].",
            ) from None
        self._url = url
        self._client: Any = Redis.from_url(url, decode_responses=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._url,)

    def reserve(self, call: str, limits: Sequence[Limit], amount: Amount) -> Shortage | None:
        """Reserve an amount; see `Store`."""
        numbers = (to_units(amount.cost), amount.tokens)
        shortage = self._run(_RESERVE, [limit.account for limit in limits], call, *numbers, *_bounds(limits))
        return _shortage(shortage, limits, amount)

    def attempt(self, call: str, number: int, limits: Sequence[Limit], charge: Charge) -> Shortage | None:
        """Charge a failed attempt; see `Store`."""
        numbers = (number, *_numbers(charge), *_bounds(limits))
        return _shortage(self._run(_ATTEMPT, [limit.account for limit in limits], call, *numbers), limits, Amount())

    def settle(self, call: str, accounts: Sequence[str], charge: Charge) -> list[str]:
        """Replace a reservation by the cost; see `Store`."""
        places = self._run(_SETTLE, accounts, call, *_numbers(charge))
        return [accounts[int(place) - 1] for place in places]

    def correct(self, accounts: Sequence[str], difference: Amount) -> None:
        """Add a difference to the amount spent; see `Store`."""
        with self._client.pipeline() as commands:
            for account in accounts:
                commands.hincrby(_key(account), "spent:cost", to_units(difference.cost))
                commands.hincrby(_key(account), "spent:tokens", difference.tokens)
            commands.execute()

    def balance(self, account: str) -> Balance:
        """Return the state of an account."""
        spent, tokens, reserved, reserved_tokens = (
            int(value or 0) for value in self._client.hmget(_key(account), _FIELDS)
        )
        return Balance(Amount(to_dollars(spent), tokens), Amount(to_dollars(reserved), reserved_tokens))

    def reset(self, account: str) -> None:
        """Set the amount spent to zero."""
        self._client.hdel(_key(account), *_FIELDS[:2])

    def _run(self, script: str, accounts: Sequence[str], *arguments: object) -> Any:
        return self._client.eval(script, len(accounts), *map(_key, accounts), *arguments)


def _key(account: str) -> str:
    # In a cluster, the part in braces puts all accounts on one server.
    return f"{{langchain_kimi:budgets}}:{account}"


def _bounds(limits: Sequence[Limit]) -> list[int | str]:
    """Return the limits in tokens and in units of money; an empty string for no limit."""
    bounds: list[int | str] = []
    for limit in limits:
        bounds.append("" if limit.max_tokens is None else limit.max_tokens)
        cost = limit.max_cost
        bounds.append("" if cost is None or cost.is_infinite() else to_units(cost))
    return bounds


def _numbers(charge: Charge) -> tuple[int | str, int | str]:
    return "" if charge.cost is None else to_units(charge.cost), "" if charge.tokens is None else charge.tokens


def _shortage(shortage: Sequence[Any], limits: Sequence[Limit], amount: Amount) -> Shortage | None:
    """Return the shortage that a script reports as the position of the account, the unit, and its state."""
    if not shortage:
        return None
    limit = limits[int(shortage[0]) - 1]
    spent, reserved = int(shortage[2]), int(shortage[3])
    if shortage[1] == "tokens":
        return Shortage("tokens", *map(Decimal, (limit.max_tokens or 0, spent, reserved, amount.tokens)))
    return Shortage("USD", limit.max_cost or NO_COST, to_dollars(spent), to_dollars(reserved), amount.cost)
