import httpx
import pytest

from langchain_kimi.testing import Emulator, faults
from tests.testing.chat import post


def test_models_are_listed_without_a_key(openrouter: Emulator) -> None:
    response = httpx.get(f"{openrouter.base_url}/models")
    listed = {model["id"]: model for model in response.json()["data"]}
    assert "max-age" in response.headers["cache-control"]
    assert response.json()["total_count"] == len(listed)
    kimi = listed["moonshotai/kimi-k2.5"]
    assert kimi["canonical_slug"] == "moonshotai/kimi-k2.5-0127"
    assert kimi["architecture"]["input_modalities"] == ["text", "image"]
    assert float(kimi["pricing"]["prompt"]) == pytest.approx(0.45e-6)
    assert "tools" in kimi["supported_parameters"]


def test_endpoints_of_a_model(client: httpx.Client) -> None:
    listed = client.get("/models/moonshotai/kimi-k2-0905/endpoints").json()["data"]
    assert listed["id"] == "moonshotai/kimi-k2-0905"
    assert {"tag": "groq", "provider_name": "Groq"}.items() <= listed["endpoints"][2].items()


def test_key_and_credits(client: httpx.Client) -> None:
    assert client.get("/key").json()["data"]["limit_remaining"] == 7.5
    assert set(client.get("/credits").json()["data"]) == {"total_credits", "total_usage"}


def test_a_generation_is_available_at_the_second_lookup(openrouter: Emulator, client: httpx.Client) -> None:
    reply = post(client, session_id="s").json()
    query = {"id": reply["id"]}
    assert client.get("/generation", params=query).status_code == 404
    record = client.get("/generation", params=query).json()["data"]
    assert record["id"] == reply["id"]
    assert record["total_cost"] == reply["usage"]["cost"]
    assert (record["session_id"], record["provider_name"], record["streamed"]) == ("s", "Moonshot AI", False)
    openrouter.fail_next(faults.internal_error())
    post(client)
    assert [client.get("/generation", params={"id": "gen-1-unknown"}).status_code for _ in range(2)] == [404, 404]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/models/moonshotai/kimi-x/endpoints", 404),
        ("GET", "/models/%20moonshotai/kimi-k2.6/endpoints", 404),
        ("GET", "/model/kimi", 404),
        ("GET", "/unknown", 404),
        ("GET", "/models?limit=many", 400),
        ("GET", "/models?limit=0", 400),
        ("GET", "/models?offset=-1", 400),
        ("GET", "/models?context=many", 400),
        ("GET", "/models?max_price=inf", 400),
        ("PUT", "/chat/completions", 404),
        ("POST", "/unknown", 404),
        ("GET", "/generation", 404),
        ("GET", "/chat/completions", 404),
        ("POST", "/models", 405),
        ("DELETE", "/key", 405),
    ],
)
def test_invalid_requests_are_rejected(client: httpx.Client, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]["code"] == status


@pytest.mark.parametrize("path", ["/key", "/credits", "/generation?id=a"])
def test_some_endpoints_require_a_key(openrouter: Emulator, path: str) -> None:
    assert httpx.get(openrouter.base_url + path).status_code == 401


def test_lists_of_providers_and_endpoints_need_no_key(openrouter: Emulator) -> None:
    providers = httpx.get(f"{openrouter.base_url}/providers").json()["data"]
    assert "moonshotai" in {provider["slug"] for provider in providers}
    endpoints = httpx.get(f"{openrouter.base_url}/endpoints/zdr").json()["data"]
    assert "Moonshot AI" not in {endpoint["provider_name"] for endpoint in endpoints}


def test_a_model_alone(client: httpx.Client) -> None:
    assert client.get("/model/moonshotai/kimi-k2.5").json()["data"]["id"] == "moonshotai/kimi-k2.5"


def test_numbers_of_the_list_of_models_are_read(client: httpx.Client) -> None:
    assert len(client.get("/models?limit=2&offset=1&context=1e5&min_price=0&max_price=1").json()["data"]) == 2


def test_head_has_the_headers_of_get(client: httpx.Client) -> None:
    for path in ("/models", "/key", "/models/moonshotai/kimi-k3/endpoints"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.content, head.headers) == (200, b"", get.headers)


@pytest.mark.parametrize("path", ["/chat/completions", "/models", "/batches/1"])
def test_a_page_in_a_browser_may_call_every_endpoint(openrouter: Emulator, path: str) -> None:
    requested = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-title"}
    response = httpx.options(openrouter.base_url + path, headers={"Origin": "http://localhost:3000", **requested})
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-allow-headers"] == "authorization,x-title"
    assert "POST" in response.headers["access-control-allow-methods"]
    assert httpx.options(openrouter.base_url + path).headers["access-control-allow-headers"] == "*"


def test_paths_are_decoded(client: httpx.Client) -> None:
    for path in ("/models/moonshotai%2Fkimi-k3/endpoints", "/models/moonshotai/kimi-k3/endpoints/"):
        assert client.get(path).json()["data"]["id"] == "moonshotai/kimi-k3"
