from langchain_kimi.batch.results import BatchResult, status_of


def test_the_state_is_read_from_the_object_of_the_batch() -> None:
    state = status_of(
        {
            "id": "b",
            "status": "completed",
            "model": "m",
            "provider": "p",
            "usage": {"cost": 0.5},
            "request_counts": {"total": 3, "completed": 2, "failed": 1},
            "created_at": 1,
            "expires_at": None,
        }
    )

    assert (state.total, state.completed, state.failed, state.cost, state.provider) == (3, 2, 1, 0.5, "p")
    assert (state.has_ended, state.has_rows, state.created_at, state.expires_at) == (True, True, 1.0, None)


def test_odd_objects_have_defaults() -> None:
    state = status_of({"id": 1, "status": "new", "usage": {"cost": True}, "request_counts": [], "provider": {}})

    assert (state.id, state.status, state.has_ended, state.has_rows) == ("1", "new", False, False)
    assert (state.total, state.cost, state.provider, state.error) == (0, None, None, "")
    assert not status_of({"status": "failed"}).has_rows


def test_a_result_without_an_error_is_ok() -> None:
    assert BatchResult(0).ok
    assert not BatchResult(0, error=ValueError()).ok
