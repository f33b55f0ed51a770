import pytest

from langchain_kimi.testing import catalog


@pytest.mark.parametrize(
    "slug", ["a/b", "a/b:free", "a/b:free:online", "~a/b", "@preset/x", "a/b@preset/x", "a.b/c-1.5"]
)
def test_valid_model_ids(slug: str) -> None:
    assert catalog.is_slug(slug)


@pytest.mark.parametrize("slug", ["a", "a/b:odd", "a/b/c", "a/", "/b", "@preset/", "a b/c", None])
def test_invalid_model_ids(slug: object) -> None:
    assert not catalog.is_slug(slug)


def test_kimi_models_have_two_names() -> None:
    for model in catalog.KIMIS.values():
        assert catalog.find(model.slug) is catalog.find(model.canonical) is model
        assert catalog.is_kimi(model)


def test_unknown_models_have_no_restrictions() -> None:
    other = catalog.find("somebody/else:free")
    assert not catalog.is_kimi(other)
    assert "audio" in other.inputs
    assert catalog.served_name("somebody/else:free", other) == "somebody/else:free"
    assert catalog.find("no slug").canonical == "moonshotai/kimi-k2-0905"


def test_reasoning_models_support_reasoning_parameters() -> None:
    assert "reasoning" in catalog.find("moonshotai/kimi-k2.5").supported_parameters
    assert "reasoning" not in catalog.find("moonshotai/kimi-k2-0905").supported_parameters
