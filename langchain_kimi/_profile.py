"""The profile of a model: its limits and abilities, in langchain-core's form."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from langchain_core.language_models import ModelProfile

from langchain_kimi._kimi import profiles
from langchain_kimi._kimi.families import family, is_kimi
from langchain_kimi._openrouter.host import Host
from langchain_kimi._openrouter.warning import warn_user
from langchain_kimi._settings import KimiSettings, chosen_host


def profile_of(settings: KimiSettings) -> Mapping[str, Any] | None:
    """Return the model's profile, a field of langchain-core's base class."""
    profile: Mapping[str, Any] | None = getattr(settings, "profile", None)
    return profile


@contextmanager
def refreshing_profile(settings: KimiSettings) -> Iterator[None]:
    """Give the model its new profile after a refresh or a change of the model in this context.

    A profile that the user set is not replaced.
    """
    is_listed = profile_of(settings) == listed_profile(settings)
    yield
    if is_listed:
        # Not by assignment, after which the profile would count as set by the user.
        settings.__dict__["profile"] = listed_profile(settings)


_NOTED: set[str] = set()
"""The unknown Kimi models that a warning has named."""


def listed_profile(settings: KimiSettings) -> dict[str, Any] | None:
    """Return the profile in the list of models, with `_accepted_changes`; None if the model is not listed."""
    listed = profiles.profile(settings.model_name)
    return listed and {**listed, **_accepted_changes(settings)}


def resolved_profile(settings: KimiSettings) -> dict[str, Any] | None:
    """Return the listed profile, and warn once about each Kimi model on OpenRouter that is not listed."""
    slug = settings.model_name
    listed = listed_profile(settings)
    if listed is None and slug not in _NOTED and is_kimi(slug) and chosen_host(settings).is_openrouter:
        _NOTED.add(slug)
        warn_user(
            f"{slug} is newer than the list of models in this package. It is treated like its family; its limits and "
            "prices are unknown until refresh() is called."
        )
    return listed


def _accepted_changes(settings: KimiSettings) -> dict[str, bool]:
    """Return whether changes in a conversation are sent at their place, for the changes that langchain-core knows."""
    accepted = {
        "mid_conversation_system_messages": True,
        "mid_conversation_tools": takes_later_tools(settings.model_name, chosen_host(settings)),
    }
    return {name: value for name, value in accepted.items() if name in ModelProfile.__annotations__}


def takes_later_tools(slug: str, host: Host) -> bool:
    """Return whether a model at a host accepts further tools in system messages."""
    kimi = family(slug)
    return host.takes_later_tools and kimi is not None and kimi.template == "k3"
