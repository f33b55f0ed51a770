"""LangChain callbacks that sum up the costs of runs, budgets that stop runs, and a log of calls.

```python
from langchain_kimi.callbacks import Budget, track_costs

with track_costs() as costs:
    agent.invoke(question, config={"callbacks": [Budget(max_cost=0.50)]})
print(costs)  # a table: tokens, shares and dollars by model, by provider and in total
```

The costs are those that the replies report. Calls of other packages' models are counted, too; their cost is unknown if
their replies do not report it.
"""

from langchain_kimi._costs.audit import AuditLog
from langchain_kimi._costs.budget import Budget
from langchain_kimi._costs.ledger import Costs
from langchain_kimi._costs.tracking import KimiCostCallback, track_costs

__all__ = ["AuditLog", "Budget", "Costs", "KimiCostCallback", "track_costs"]
