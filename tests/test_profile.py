"""The profiles of models, which the list of models has or lacks."""

import pytest
from langchain_core.language_models.model_profile import ModelProfile

from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.host import host_for
from langchain_kimi._profile import listed_profile, profile_of, takes_later_tools
from tests.conftest import KEY

SYSTEM_MESSAGES = "mid_conversation_system_messages"


def test_a_listed_model_has_its_profile() -> None:
    model = ChatKimi(api_key=KEY, model="moonshotai/kimi-k2.6")
    assert profile_of(model) == listed_profile(model) is not None
    # The key is newer than the oldest langchain-core that is supported.
    assert (model.profile or {}).get(SYSTEM_MESSAGES, False) is (SYSTEM_MESSAGES in ModelProfile.__annotations__)


def test_the_warning_about_an_unlisted_kimi_occurs_once() -> None:
    slug = "moonshotai/kimi-k77"
    with pytest.warns(UserWarning, match=f"{slug} is newer than the list of models"):
        model = ChatKimi(api_key=KEY, model=slug)
    assert profile_of(model) is listed_profile(model) is None
    assert profile_of(ChatKimi(api_key=KEY, model=slug)) is None


def test_models_of_other_families_and_hosts_have_no_warning() -> None:
    assert profile_of(ChatKimi(api_key=KEY, model="author/unlisted")) is None
    local = ChatKimi(api_key=KEY, model="moonshotai/kimi-k78", base_url="http://127.0.0.1:1/v1")
    assert profile_of(local) is None


@pytest.mark.parametrize(
    ("slug", "host", "answer"),
    [
        ("kimi-k3", "moonshot", True),
        ("kimi-k2.6", "moonshot", False),
        ("author/other", "moonshot", False),
        ("moonshotai/kimi-k3", "openrouter", False),
    ],
)
def test_kimi_k3_at_moonshot_takes_later_tools(slug: str, host: str, *, answer: bool) -> None:
    assert takes_later_tools(slug, host_for(host, "")) is answer
