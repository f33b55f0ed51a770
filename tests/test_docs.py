"""The code of the documentation runs as printed, and the pages mention everything that is public."""

import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from langchain_kimi import ChatKimi
from langchain_kimi.cli.main import parser
from langchain_kimi.errors import KimiError
from langchain_kimi.testing import Emulator, Reply, faults
from scripts.docs_tables import error_classes
from tests.conftest import KEY
from tests.pages import DOCS, ROOT, blocks, functions_named_test, pages
from tests.rows import each_row
from tests.structure.public import PUBLIC

SITE = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
ERRORS = (DOCS / "errors.md").read_text(encoding="utf-8")
# Private modules and `cli`, whose page is generated from its arguments, have no reference.
DOCUMENTED = [*sorted(PUBLIC - {"__init__", "chat_models", "cli"}), "testing.faults", "testing.cassettes"]


@pytest.fixture(scope="module")
def shared() -> Iterator[Emulator]:
    """One emulator for all pages, because starting one takes longer than most blocks."""
    with Emulator() as openrouter:
        yield openrouter


# `loads` is a beta of langchain-core.
@pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainBetaWarning")
@each_row("page", [path for path in pages() if blocks(path)], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_runs(
    page: Path,
    shared: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIMI_CACHE_DIR", str(tmp_path / "facts"))
    monkeypatch.setenv("OPENROUTER_API_KEY", KEY)
    monkeypatch.setenv("OPENROUTER_API_BASE", shared.base_url)
    namespace: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        if page.name == "README.md":
            # A reader copies one block.
            namespace = {"__name__": page.stem}
        block.run(namespace)
        # An example of an error that prints nothing shows no error. The ones of the migration pages show only names.
        assert capsys.readouterr().out.strip() or "print(" not in block.code or page.parent.name == "migrate", block
    for _, test in functions_named_test(namespace):
        shared.clear()
        test(**dict.fromkeys(inspect.signature(test).parameters, shared))


def commands() -> Iterator[str]:
    """Yield the commands of the package that the pages show, in sentences and in blocks."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        yield from re.findall(r"(?:^|`|\$ )(?:langchain-kimi|python -m langchain_kimi) ([^`\n]+)", text, re.MULTILINE)


def test_the_commands_of_the_pages_have_valid_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    shown = list(commands())
    assert len(shown) > 12
    for command in shown:
        words = shlex.split(command, comments=True)
        try:
            parser().parse_args(words)
        except SystemExit:
            # A sentence may name a command without the arguments that it requires.
            assert len(words) == 1, command
            assert "required" in capsys.readouterr().err, command


def test_there_are_many_pages_with_code() -> None:
    assert len([path for path in pages() if blocks(path)]) > 15


def test_the_navigation_lists_every_page_once() -> None:
    listed = re.findall(r"[\w/-]+\.md", SITE[SITE.index("\nnav:") :])
    written = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted(written), "add the page to `nav` of mkdocs.yml, or remove it there"
    assert yaml.safe_load(SITE)["strict"] is True


def test_every_public_name_is_in_the_reference_and_has_a_docstring() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md")]
    listed = {name for text in texts for name in re.findall(r"^::: langchain_kimi\.(\S+)", text, re.MULTILINE)}
    assert sorted(set(DOCUMENTED) - listed) == []
    modules = {name: importlib.import_module(f"langchain_kimi.{name}") for name in DOCUMENTED}
    # A module on a page shows all names of its `__all__`.
    shown = {name: getattr(module, name) for module in modules.values() for name in getattr(module, "__all__", ())}
    package = importlib.import_module("langchain_kimi")
    public = {name: getattr(package, name) for name in package.__all__ if name != "__version__"}
    assert sorted(set(public) - listed - set(shown)) == []
    documentable = {
        name: value
        for name, value in {**shown, **public}.items()
        if inspect.isclass(value) or inspect.isfunction(value)
    }
    assert [name for name, value in documentable.items() if not inspect.getdoc(value)] == []
    assert [name for name, module in modules.items() if not module.__doc__] == []


def sections() -> dict[str, str]:
    """Return the text of the section of each error."""
    parts = re.split(r"^## (Kimi\w+|\w+Error)$", ERRORS, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_error_has_a_cause_and_a_remedy() -> None:
    assert sorted(sections()) == sorted(kind.__name__ for kind in error_classes())
    for text in sections().values():
        assert "* **Cause:** " in text
        assert "* **Remedy:** " in text


SEEN = [(name, code) for name, text in sections().items() for code in re.findall(r"To see it:\*\* `([^`]+)`", text)]


@each_row("name, code", SEEN)
def test_a_fault_of_the_errors_page_raises_its_error(name: str, code: str, shared: Emulator) -> None:
    shared.clear()
    fault = eval(code, {"faults": faults, "Reply": Reply})  # noqa: S307 - the project's own page
    shared.fail_next(fault)
    model = ChatKimi(api_key=KEY, base_url=shared.base_url, max_retries=0)
    with pytest.raises(KimiError) as error:
        list(model.stream("Hello."))
    assert type(error.value).__name__ == name


def test_most_errors_can_be_seen() -> None:
    assert len(SEEN) > 12


def test_the_examples_page_lists_every_example() -> None:
    text = (DOCS / "examples.md").read_text(encoding="utf-8")
    names = [path.name for path in (ROOT / "examples").iterdir() if path.suffix in {".py", ".ipynb"}]
    names += [f"{path.parent.name}/" for path in (ROOT / "examples").glob("*/*.html")]
    assert [name for name in names if f"`{name}`" not in text] == []
