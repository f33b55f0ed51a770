from langchain_kimi.catalog import Endpoint, ListedModel
from langchain_kimi.catalog.rows import facts_of

K4 = "moonshotai/kimi-k4"
PRICES = {"prompt": "0.000001", "completion": "0.000002"}


def listed(slug: str, **more: object) -> ListedModel:
    return ListedModel.model_validate({"id": slug, "context_length": 1000, "pricing": PRICES, **more})


def test_a_new_kimi_gets_a_profile_prices_and_hosts() -> None:
    hosts = [Endpoint.model_validate({"tag": "novita", "pricing": PRICES}), Endpoint(tag="unpriced")]
    models = [listed(K4, created=1_790_000_000, supported_parameters=["tools"]), listed(f"{K4}:batch")]
    facts = facts_of(models, {K4: hosts}, source="https://a/models", date="2026-11-27")
    row = facts["models"][K4]
    assert row["profile"]["max_input_tokens"] == 1000
    assert row["profile"]["release_date"] == "2026-09-21"
    assert row["prices"] == {"prompt": 1.0, "completion": 2.0, "cache_read": None, "cache_write": None}
    assert [host["tag"] for host in row["hosts"]] == ["novita"]
    assert row["batch"]["prompt"] == 1.0
    assert (facts["source"], facts["date"]) == ("https://a/models", "2026-11-27")


def test_other_models_are_kept_only_with_their_hosts() -> None:
    models = [listed("maker/one"), listed("maker/two", supported_parameters=["tool_choice"])]
    facts = facts_of(models, {"maker/two": []}, source="", date="")
    assert list(facts["models"]) == ["maker/two"]
    assert facts["models"]["maker/two"]["profile"]["tool_choice"] is True
    assert "hosts" not in facts["models"]["maker/two"]


def test_an_alias_points_to_its_target() -> None:
    models = [
        listed("~moonshotai/kimi-latest", alias_target="moonshotai/kimi-k3-20260715"),
        listed("~moonshotai/kimi-k3-latest", alias_target={"slug": K4}),
        listed("~moonshotai/kimi-k2-latest"),
    ]
    aliases = facts_of(models, {}, source="", date="")["aliases"]
    assert aliases["~moonshotai/kimi-latest"] == "moonshotai/kimi-k3"
    assert "~moonshotai/kimi-k2-latest" not in aliases


def test_a_model_without_prices_or_limits_has_no_row() -> None:
    models = [
        listed(K4, pricing={}),
        listed("moonshotai/kimi-k5", context_length=None),
        listed("moonshotai/kimi-k6", context_length=-1),
        listed("moonshotai/kimi-k7", pricing={"prompt": "-1", "completion": "-1"}),
    ]
    assert facts_of(models, {}, source="", date="")["models"] == {}


def test_null_counts_as_missing() -> None:
    profile = facts_of([listed(K4, created=None, name=None)], {}, source="", date="")["models"][K4]["profile"]
    assert (profile["name"], profile["release_date"]) == (K4, "1970-01-01")


def test_a_profile_has_the_limits_and_efforts_of_the_list() -> None:
    reasoning = {"supported_efforts": ["low", "high"], "default_effort": "low"}
    models = [
        listed(
            K4,
            top_provider={"max_completion_tokens": 500},
            expiration_date="2027-01-01",
            reasoning=reasoning,
            supported_parameters=["reasoning"],
        ),
        listed("moonshotai/kimi-k5", reasoning={"supported_efforts": ["low"]}),
    ]
    profiles = [row["profile"] for row in facts_of(models, {}, source="", date="")["models"].values()]
    names = ("max_output_tokens", "status", "reasoning_output", "reasoning_effort_levels", "reasoning_effort_default")
    assert [[profile.get(name) for name in names] for profile in profiles] == [
        [500, "deprecated", True, ["low", "high"], "low"],
        [None, None, False, ["low"], None],
    ]
