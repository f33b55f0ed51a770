from langchain_kimi.testing.rejections import USER, RejectedRequestError, error_body, invalid, rejected_upstream


def test_error_bodies() -> None:
    assert error_body(401, "No.") == {"error": {"message": "No.", "code": 401}}
    assert error_body(404, "No.", {"a": 1}) == {
        "error": {"message": "No.", "code": 404, "metadata": {"a": 1}},
        "user_id": USER,
    }


def test_a_rejection_has_a_response() -> None:
    response = RejectedRequestError(402, "Pay.").response()
    assert response.status == 402
    assert response.steps == (b'{"error":{"message":"Pay.","code":402},"user_id":"user_emulated"}',)


def test_rejections_of_openrouter_and_of_the_provider() -> None:
    assert invalid("No.").metadata == {"provider_name": None}
    upstream = rejected_upstream("No.", "Groq")
    assert upstream.message == "Provider returned error"
    assert (upstream.metadata or {})["provider_name"] == "Groq"
