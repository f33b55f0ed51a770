"""Costs and hosts in traces: on LangSmith's runs, and on the spans and metrics of OpenTelemetry.

```python
from langchain_kimi.observability import LangSmithCosts, OpenTelemetryCosts

agent.invoke(question, config={"callbacks": [LangSmithCosts(), OpenTelemetryCosts()]})
```
"""

from langchain_kimi.observability.langsmith import LangSmithCosts
from langchain_kimi.observability.opentelemetry import OpenTelemetryCosts

__all__ = ["LangSmithCosts", "OpenTelemetryCosts"]
