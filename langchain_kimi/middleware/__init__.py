"""Middleware for agents of `langchain.agents.create_agent`. Needs the extra `middleware`.

```python
from langchain.agents import create_agent
from langchain_kimi import ChatKimi
from langchain_kimi.middleware import KeepCacheWarm, LoopGuard, RepairInvalidCalls

agent = create_agent(ChatKimi(), tools, middleware=[RepairInvalidCalls(), LoopGuard(), KeepCacheWarm()])
```

The state of each middleware is in the messages or the state of the agent, so one object works for any number of agents,
threads and runs, and a run that continues from a checkpoint continues the counts.
"""

from langchain_kimi.middleware.cache import KeepCacheWarm
from langchain_kimi.middleware.hosts import FallbackHosts
from langchain_kimi.middleware.limits import CostLimit
from langchain_kimi.middleware.loops import KimiLoopError, LoopGuard
from langchain_kimi.middleware.repair import RepairInvalidCalls
from langchain_kimi.middleware.tool_search import KimiToolSearch

__all__ = [
    "CostLimit",
    "FallbackHosts",
    "KeepCacheWarm",
    "KimiLoopError",
    "KimiToolSearch",
    "LoopGuard",
    "RepairInvalidCalls",
]
