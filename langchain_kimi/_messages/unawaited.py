"""What langchain-core leaves behind when a handler refuses a call."""

import inspect


def close_unawaited() -> None:
    """Close the coroutines of the handlers that a refused async call has besides.

    langchain-core makes all of them before it awaits the first one, and drops the rest when one raises (seen in 1.6.0
    and 1.7.2). Python would warn of each, at some later moment: "coroutine 'ahandle_event' was never awaited".
    """
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name == "on_chat_model_start":
            made = [*frame.f_locals.get("inline_tasks", ()), *frame.f_locals.get("non_inline_tasks", ())]
            for coroutine in filter(inspect.iscoroutine, made):
                if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                    coroutine.close()
        frame = frame.f_back
