"""The batch APIs of OpenRouter and Moonshot: thousands of requests in one submission, at about half the price.

```python
from langchain_kimi import ChatKimi
from langchain_kimi.batch import BatchHandle

model = ChatKimi(model="moonshotai/kimi-k3", max_tokens=500)
handle = model.submit_batch(["Summarize ...", "Translate ..."])
Path("batch.json").write_text(handle.model_dump_json())

# Later, also in another process:
handle = BatchHandle.model_validate_json(Path("batch.json").read_text()).using(model)
handle.wait()
for result in handle.results():
    print(result.index, result.value or result.error, result.cost)
```

`submit` takes any runnable that ends in a `ChatKimi`, such as `model.with_structured_output(Order)`. Rows are answered
within 24 hours, usually within minutes. The results are the same as those of `invoke`: messages, repairs, typed errors,
costs and values.
"""

from langchain_kimi.batch.errors import BatchLimitError, BatchPendingError, BatchRowError
from langchain_kimi.batch.handle import BatchHandle
from langchain_kimi.batch.results import BatchResult, BatchStatus
from langchain_kimi.batch.submitting import FindOptions, afind, asubmit, find, parts, submit

__all__ = [
    "BatchHandle",
    "BatchLimitError",
    "BatchPendingError",
    "BatchResult",
    "BatchRowError",
    "BatchStatus",
    "FindOptions",
    "afind",
    "asubmit",
    "find",
    "parts",
    "submit",
]
