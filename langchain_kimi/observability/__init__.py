"""Costs and hosts in traces: in LangSmith's runs, and in the spans and metrics of OpenTelemetry.

```python
from langchain_kimi.observability import LangSmithCosts, OpenTelemetryCosts

agent.invoke(question, config={"callbacks": [LangSmithCosts(), OpenTelemetryCosts()]})
```
"""

from langchain_kimi.observability.langsmith import LangSmithCosts
from langchain_kimi.observability.opentelemetry import OpenTelemetryCosts

__all__ = ["LangSmithCosts", "OpenTelemetryCosts"]
