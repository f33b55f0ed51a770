"""OpenRouter's other endpoints: models, their hosts, API keys, credits, and the costs of past calls.

See https://openrouter.ai/docs/api-reference for the fields of the responses.
"""

from langchain_kimi.catalog.clients import AsyncCatalog, Catalog, Refreshed
from langchain_kimi.catalog.results import (
    Activity,
    Architecture,
    Credits,
    Endpoint,
    Generation,
    KeyInfo,
    ListedModel,
    ModelEndpoints,
    ModelReasoning,
    Percentiles,
    Pricing,
    Provider,
    ToolChoiceSupport,
    TopProvider,
)

__all__ = [
    "Activity",
    "Architecture",
    "AsyncCatalog",
    "Catalog",
    "Credits",
    "Endpoint",
    "Generation",
    "KeyInfo",
    "ListedModel",
    "ModelEndpoints",
    "ModelReasoning",
    "Percentiles",
    "Pricing",
    "Provider",
    "Refreshed",
    "ToolChoiceSupport",
    "TopProvider",
]
