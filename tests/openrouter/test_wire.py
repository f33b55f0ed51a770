import pytest

from langchain_kimi._openrouter.wire import provider_slug
from langchain_kimi.testing.catalog import PROVIDERS


@pytest.mark.parametrize(("slug", "name"), PROVIDERS.items())
def test_the_slugs_of_kimi_providers(slug: str, name: str) -> None:
    assert provider_slug(name) == slug
    assert provider_slug(slug) == slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Google", "google-vertex"),
        ("Google AI Studio", "google-ai-studio"),
        ("Amazon Bedrock", "amazon-bedrock"),
        ("Z.AI", "z-ai"),
        ("Mancer 2", "mancer"),
        ("WandB", "wandb"),
        (" Brand New ", "brand-new"),
    ],
)
def test_the_slugs_of_other_providers(name: str, slug: str) -> None:
    assert provider_slug(name) == slug
