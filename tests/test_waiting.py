import threading

from tests.waiting import blocking_until, until


async def test_the_loop_waits_until_a_condition_holds() -> None:
    states = iter([False, False, True])
    await until(lambda: next(states))
    assert next(states, None) is None


def test_a_thread_waits_until_a_condition_holds() -> None:
    event = threading.Event()
    threading.Timer(0.01, event.set).start()
    blocking_until(event.is_set)
    assert event.is_set()
