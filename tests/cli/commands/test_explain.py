from langchain_kimi._explanations import address_of
from langchain_kimi.cli.commands.explain import sections
from langchain_kimi.errors import KimiRateLimitError
from scripts.docs_tables import error_classes
from tests.cli.conftest import Cli


def test_an_error_is_explained_by_its_class_its_place_or_its_anchor(cli: Cli) -> None:
    texts = {
        cli("explain", name)
        for name in (
            "KimiRateLimitError",
            "langchain_kimi.errors.KimiRateLimitError:",
            "errors.html#kimiratelimiterror",
        )
    }
    [text] = texts
    assert text.startswith("KimiRateLimitError\n\n* Cause: Too many requests (429)")
    assert "* Remedy: Wait `retry_after` seconds" in text
    assert "bulk.run" in text
    assert "guides/bulk.md" not in text
    assert cli.json("explain", "kimiratelimiterror")["text"].splitlines() == text.splitlines()[2:]
    assert not cli.emulator.requests


def test_the_command_of_an_error_explains_it(cli: Cli) -> None:
    _, _, *arguments = KimiRateLimitError("It failed.").help.split()
    assert cli(*arguments[1:]).startswith("KimiRateLimitError")
    # Every class has a section, whose heading is the anchor of the page.
    assert sorted(sections()) == sorted(kind.__name__ for kind in error_classes())
    assert address_of("KimiRateLimitError", "site/").endswith("#kimiratelimiterror")


def test_without_an_error_all_are_listed(cli: Cli) -> None:
    lines = cli("explain").splitlines()
    assert len(lines) == len(sections()) + 1
    assert ["KimiUsageError", "The", "arguments"] in [line.split()[:3] for line in lines]
    assert {row["error"] for row in cli.json("explain")} == set(sections())


def test_an_unknown_error_names_similar_ones(cli: Cli) -> None:
    cli("explain", "KimiRateError", code=2)
    assert "KimiRateLimitError" in cli.err
    cli("explain", "zzz", code=2)
    assert cli.err == "'zzz' is not an error of this package. Similar: KimiError.\n"
