from langchain_kimi.observability.values import cached_share, present


def test_the_cached_share_is_that_of_the_input() -> None:
    assert cached_share({"input_tokens": 8, "input_token_details": {"cache_read": 2}}) == 0.25
    assert cached_share({"input_tokens": 8}) == 0.0
    assert cached_share({}) is None


def test_only_none_is_left_out() -> None:
    assert present(a=0, b=None, c="") == {"a": 0, "c": ""}
