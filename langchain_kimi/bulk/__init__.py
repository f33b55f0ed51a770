"""Bulk runs: thousands to millions of rows through a runnable, with results on disk, a budget and rate limits.

```python
from langchain_core.prompts import ChatPromptTemplate
from langchain_kimi import ChatKimi, bulk

prompt = ChatPromptTemplate.from_template("Fill in the order: {text}")  # text is a column of letters.jsonl
chain = prompt | ChatKimi(max_tokens=500).with_structured_output(Order)
summary = bulk.run(chain, "letters.jsonl", out="orders.jsonl", max_cost=5)
print(summary)
```

A row is finished when its result is in the output file. A run that was killed continues when it is started again with
the same arguments, and does not send finished rows again.
"""

from langchain_kimi.bulk.callables import AskBatches, AskRows, ResultRow
from langchain_kimi.bulk.frames import Address
from langchain_kimi.bulk.options import Options
from langchain_kimi.bulk.results import BulkError, BulkResult, BulkStoppedError
from langchain_kimi.bulk.running import arun, run
from langchain_kimi.bulk.shared import Shared
from langchain_kimi.bulk.summary import BulkSummary
from langchain_kimi.bulk.worker import Worker

__all__ = [
    "Address",
    "AskBatches",
    "AskRows",
    "BulkError",
    "BulkResult",
    "BulkStoppedError",
    "BulkSummary",
    "Options",
    "ResultRow",
    "Shared",
    "Worker",
    "arun",
    "run",
]
