"""Check the key, the network, and the hosts of a model against the requirements of the user."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from langchain_kimi._kimi.families import is_kimi
from langchain_kimi._openrouter.host import OPENROUTER, host_for
from langchain_kimi._openrouter.http.environment import proxy_host
from langchain_kimi.catalog import Catalog, Endpoint, ListedModel
from langchain_kimi.catalog.operations import nearest
from langchain_kimi.cli.codes import CHECK_FAILED, OFFLINE, SUCCESS
from langchain_kimi.cli.facts import catalog_of, host_row, model_argument, refusals
from langchain_kimi.cli.output import Output
from langchain_kimi.cli.reach import reason
from langchain_kimi.errors import KimiConnectionError, KimiError, KimiNotFoundError, KimiTimeoutError

HELP = "check the key, the network and the hosts of a model, and suggest a ChatKimi(...)"
LOW = 1.0
"""US dollars: less than this is worth a warning."""
_WANTED = {"tools": "tools", "json_schema": "structured_outputs", "reasoning": "reasoning"}
"""The options, and the parameters of hosts that they require."""
_UPTIME = 90.0
"""Percent of the last day: a host below it is not suggested."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    model_argument(parser)
    parser.add_argument("--tools", action="store_true", help="require hosts that accept tools")
    parser.add_argument("--json-schema", action="store_true", help="require hosts that enforce JSON schemas")
    parser.add_argument("--reasoning", action="store_true", help="require hosts that accept reasoning settings")
    parser.add_argument("--max-price", type=float, help="the maximum price in US dollars per million output tokens")


@dataclass(slots=True)
class _Findings:
    """The findings so far, written as they are made."""

    out: Output
    checks: list[dict[str, Any]] = field(default_factory=list)

    def add(self, passed: bool | None, text: str) -> None:  # noqa: FBT001 - the result of a check comes first
        """Write a finding: good, bad, or (None) worth knowing."""
        self.checks.append({"ok": passed, "text": text})
        self.out.check(passed, text)

    @property
    def code(self) -> int:
        """The exit code."""
        return CHECK_FAILED if any(check["ok"] is False for check in self.checks) else SUCCESS


def run(options: argparse.Namespace, out: Output) -> int:
    """Print the findings, a table of hosts, and a model to paste."""
    findings, catalog = _Findings(out), catalog_of(options)
    variable = host_for(None, options.base_url).key_variable or OPENROUTER.key_variable or ""
    has_key = bool(os.environ.get(variable, "").strip())
    findings.add(has_key, f"{variable} is set" if has_key else f"{variable} is not set: calls need a key")
    try:
        _check_key(catalog, findings, has_key=has_key)
        code = _check_hosts(catalog, options, findings)
    except (KimiConnectionError, KimiTimeoutError) as error:
        findings.add(False, _unreachable(error, catalog.base_url))  # noqa: FBT003 - a failed check
        out.json({"checks": findings.checks, "code": None})
        return OFFLINE
    out.json({"checks": findings.checks, "code": code})
    out.line()
    out.line(code)
    return findings.code


def _unreachable(error: KimiError, url: str) -> str:
    return reason(error, urlsplit(url).netloc, proxy_host(url))


def _check_key(catalog: Catalog, findings: _Findings, *, has_key: bool) -> None:
    if not has_key:
        return
    try:
        key = catalog.key()
    except (KimiConnectionError, KimiTimeoutError):
        raise
    except KimiError as error:
        findings.add(False, f"the key is refused: {error}")  # noqa: FBT003 - a failed check
        return
    findings.add(True, f"{catalog.base_url} answers, and the key is valid")  # noqa: FBT003 - a check that passed
    if key.limit_remaining is None:
        findings.add(None, f"the key has no limit; {key.usage or 0:.4f} USD used")
    else:
        enough = key.limit_remaining > 0 and (None if key.limit_remaining < LOW else True)
        findings.add(enough, f"{key.limit_remaining:.2f} of {key.limit or 0:.2f} USD are left of the key's limit")
    try:
        left = catalog.credits().remaining
    except KimiError:
        findings.add(None, "the credits of the account are shown to management keys only")
        return
    findings.add(left > 0 and (None if left < LOW else True), f"{left:.2f} USD of credits are left")


def _check_hosts(catalog: Catalog, options: argparse.Namespace, findings: _Findings) -> str:
    """Check the hosts of the model, and return the model to paste."""
    wanted = [parameter for name, parameter in _WANTED.items() if getattr(options, name)]
    try:
        hosts = catalog.endpoints(options.model).endpoints
    except KimiNotFoundError as error:
        findings.add(False, f"{options.model} is not listed. {error.advice or ''}".strip())  # noqa: FBT003 - a failed check
        hosts = []
    findings.out.table([host_row(host) for host in hosts], title=f"Hosts of {options.model}")
    able = [host for host in hosts if _fits(host, wanted, options.max_price)]
    wishes = ", ".join([*wanted, *([f"at most {options.max_price:g} USD/M"] if options.max_price else [])])
    serving = f"{len(able)} of {len(hosts)} hosts serve {options.model}"
    findings.add(bool(able), f"{serving} with {wishes}" if wishes else serving)
    for host in hosts:
        if lacking := [*_against(host, wanted, options.max_price)]:
            findings.add(None, f"{host.tag}: {', '.join(lacking)}")
    if able:
        return _code(options.model, able, hosts, wanted, options.max_price)
    able_models = [model for model in catalog.models() if _is_able(model, wanted, options.max_price, options.model)]
    # A misspelled slug names the model that is meant; only a model without hosts needs a newer one.
    other = next(iter([] if hosts else nearest(options.model, able_models)), None) or _newest(able_models)
    if other is None:
        return "No listed Kimi has what you want."
    findings.add(None, f"{other} has it: use that instead")
    return _code(other, [], [], wanted, options.max_price)


def _fits(host: Endpoint, wanted: list[str], max_price: float | None) -> bool:
    return not [*_against(host, wanted, max_price)]


def _against(host: Endpoint, wanted: list[str], max_price: float | None) -> Iterator[str]:
    """Yield the reasons against a host."""
    yield from (f"without {name}" for name in host.lacks(wanted))
    price = host.pricing.per_million("completion")
    if max_price is not None and (price is None or price > max_price):
        yield f"{'unknown' if price is None else f'{price:g}'} USD per million output tokens"
    if (host.status or 0) < 0:
        yield "degraded"
    elif host.uptime_last_1d is not None and host.uptime_last_1d < _UPTIME:
        yield f"up {host.uptime_last_1d:.0f} % of the last day"
    if "tools" in wanted and "tool_choice function" in refusals(host):
        yield "without a forced tool"


def _is_able(model: ListedModel, wanted: list[str], max_price: float | None, slug: str) -> bool:
    """Return whether a model is another Kimi that has what is wanted."""
    return (
        is_kimi(model.id)
        and model.id != slug
        and not model.id.startswith("~")
        and ":" not in model.id
        and not set(wanted) - set(model.supported_parameters)
        and (max_price is None or _price(model) <= max_price)
    )


def _newest(models: list[ListedModel]) -> str | None:
    """Return the newest model; among equally new ones the cheapest."""
    return min(models, key=lambda model: (-(model.created or 0), _price(model))).id if models else None


def _price(model: ListedModel) -> float:
    return model.pricing.per_million("completion") or 0.0


def _code(model: str, able: list[Endpoint], hosts: list[Endpoint], wanted: list[str], max_price: float | None) -> str:
    """Return a model as Python code. Hosts that do not fit are ignored, so that new ones can serve."""
    preferences = []
    if ignored := [host.tag for host in hosts if host not in able]:
        preferences.append(f"ignore={ignored!r}")
    if wanted:
        preferences.append("require_parameters=True")
    if max_price is not None:
        preferences.append(f'max_price={{"completion": {max_price:g}}}')
    provider = f", provider=ProviderPreferences({', '.join(preferences)})" if preferences else ""
    return f'ChatKimi(model="{model}"{provider})'
