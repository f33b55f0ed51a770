from langchain_kimi.testing.refusals import USER, Refusal, error_body, invalid, refused_upstream


def test_the_envelope() -> None:
    assert error_body(401, "No.") == {"error": {"message": "No.", "code": 401}}
    assert error_body(404, "No.", {"a": 1}) == {
        "error": {"message": "No.", "code": 404, "metadata": {"a": 1}},
        "user_id": USER,
    }


def test_a_refusal_as_a_response() -> None:
    response = Refusal(402, "Pay.").response()
    assert response.status == 402
    assert response.steps == (b'{"error":{"message":"Pay.","code":402},"user_id":"user_emulated"}',)


def test_who_refused() -> None:
    assert invalid("No.").metadata == {"provider_name": None}
    upstream = refused_upstream("No.", "Groq")
    assert upstream.message == "Provider returned error"
    assert (upstream.metadata or {})["provider_name"] == "Groq"
