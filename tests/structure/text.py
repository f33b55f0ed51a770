"""Text that no file of the project may contain, suppressions without a reason, and mocks."""

import ast
import gzip
import io
import os
import re
import shutil
import subprocess
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.structure.tree import PACKAGE, Module, nodes_of

# A cassette contains recorded text, so it is searched for secrets and addresses only.
RECORDED = "cassettes/"
# Each pattern is written so that it does not match itself.
EVERYWHERE = {
    "a key": r"sk-or-v1-[0-9a-f]{16}",
    "a package index": r"pypi[.]org|python[h]osted|index[-_]url[ =]|find[-]links|trusted[-]host",
}
OUTSIDE_CASSETTES = {
    "an absolute path": r"(?<![\w./:~-])/(?:home|root|Users|work|tmp|var|mnt|private)/\w",
    "a path on a drive": r"\b[A-Z]:\\+(?:Users|Windows|Program)",
    # Git writes them with seven characters at the beginning of a line.
    "a marker of a merge conflict": r"(?m)^(?:[<]{7}|[|]{7}|[=]{7}|[>]{7})(?:[ ]|$)",
    "an unfinished note": r"\b(?:TO[D]O|FIX[M]E|XX[X])\b",
}
_DIRECTIVE = re.compile(
    r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:[\s,]+[A-Z]+\d+)*)?|type:\s*ignore(?:\[[^]]*\])?|pragma:\s*no\s*(?:cover|branch))",
    re.IGNORECASE,
)
_GENERATED = frozenset({"__pycache__", "build", "dist", "htmlcov"})


def files_of_project(root: Path) -> dict[str, str]:
    """Return the text of every project file by path: the tracked files, or all files outside a git checkout."""
    texts = {}
    for path in sorted(_tracked(root) or _walked(root)):
        if (root / path).is_file():
            content = (root / path).read_bytes()
            content = gzip.decompress(content) if path.endswith(".gz") else content
            texts[path] = content.decode("utf-8", errors="replace")
    return texts


def _tracked(root: Path) -> set[str]:
    if (git := shutil.which("git")) is None or not (root / ".git").exists():
        return set()
    listed = subprocess.run([git, "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    return set(filter(None, listed.stdout.split("\0")))


def _walked(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in _GENERATED]
        yield from ((Path(folder) / name).relative_to(root).as_posix() for name in files)


def unwanted_text(texts: Mapping[str, str]) -> list[str]:
    """Return one line for each match. The match itself is not repeated, because it may be a key."""
    lines = []
    for path, text in texts.items():
        patterns = EVERYWHERE if path.startswith(RECORDED) else EVERYWHERE | OUTSIDE_CASSETTES
        # No pattern spans lines, so what a text does not contain is in no line either.
        patterns = {what: word for what, word in patterns.items() if re.search(word, text)}
        if not patterns:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            lines += [f"{path}:{number} contains {what}" for what, word in patterns.items() if re.search(word, line)]
    return lines


def silent_exceptions(sources: Mapping[str, str]) -> list[str]:
    """Return one line for each suppression comment whose reason is shorter than two words."""
    return [
        f"{path}:{token.start[0]} suppresses a checker without a reason"
        for path, source in sources.items()
        if _may_be_silent(source)
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT and _is_silent(token.string)
    ]


def _may_be_silent(source: str) -> bool:
    """Return whether a line may lack its reason. Only then the file is split into tokens, which is slow."""
    return any(_is_silent(line[match.start() :]) for line in source.splitlines() if (match := _DIRECTIVE.search(line)))


def _is_silent(comment: str) -> bool:
    words = re.findall(r"\w{2,}", _DIRECTIVE.sub("", comment))
    return bool(_DIRECTIVE.search(comment)) and len(words) < len(("two", "words"))


UNCLEAR = frozenset({"told", "given", "said", "known", "found", "asked", "kept"})
"""Names that do not say what a value is."""


def unclear_names(sources: Mapping[str, str]) -> list[str]:
    """Return one line for each variable, argument, attribute or function with one of these names."""
    lines = []
    words = re.compile(rf"\b(?:{'|'.join(UNCLEAR)})\b")
    for path, source in sources.items():
        for node in nodes_of(source) if words.search(source) else ():
            match node:
                case (
                    ast.Name(id=name, ctx=ast.Store())
                    | ast.arg(arg=name)
                    | ast.Attribute(attr=name, ctx=ast.Store())
                    | ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                ) if name in UNCLEAR:
                    lines.append(f"{path}:{node.lineno} names something {name}")
    return lines


def hidden_annotations(sources: Mapping[str, str]) -> list[str]:
    """Return one line for each annotation with a name that the body of its class binds, such as a field.

    Python 3.14 evaluates annotations after the body of the class: there, the name is the value of the field.
    """
    lines = []
    for path, source in sources.items():
        for node in nodes_of(source):
            if isinstance(node, ast.ClassDef):
                hidden = [name for name in _names_in_annotations(node) if name.id in _bound(node)]
                lines += [f"{path}:{name.lineno} uses {name.id}, which {node.name} binds" for name in hidden]
    return lines


def _bound(kind: ast.ClassDef) -> Iterator[str]:
    for node in kind.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def _names_in_annotations(kind: ast.ClassDef) -> Iterator[ast.Name]:
    """Yield the names in the annotations of the fields and methods of a class."""
    for node in kind.body:
        roots: list[ast.AST | None] = []
        match node:
            case ast.AnnAssign(annotation=annotation):
                roots = [annotation]
            case ast.FunctionDef(args=args, returns=returns) | ast.AsyncFunctionDef(args=args, returns=returns):
                roots = [returns, *(one.annotation for one in ast.walk(args) if isinstance(one, ast.arg))]
        yield from (one for root in roots if root for one in ast.walk(root) if isinstance(one, ast.Name))


_MOCKING = ("unittest.mock", "mock", "pytest_mock", "respx", "pytest_httpx", "responses")
_MOCKS = frozenset({"Mock", "MagicMock", "AsyncMock", "NonCallableMock", "create_autospec", "mocker"})
_PATCHING = ("setattr", "delattr")
_NEVER_PATCHED = ("httpx", "httpx2", "httpcore", PACKAGE)


def mocks(sources: Mapping[str, str]) -> list[str]:
    """Return one line for each mock, and for each patch of this package or of an HTTP library."""
    words = re.compile("|".join([*_MOCKING, *_MOCKS, *_PATCHING]))
    modules = [Module(path, source) for path, source in sources.items() if words.search(source)]
    return [f"{module.path}:{line} mocks" for module in modules for line in sorted(_mocking_lines(module))]


def _mocking_lines(module: Module) -> set[int]:
    lines = {imported.line for imported in module.imports if _is_of(imported.name, _MOCKING)}
    ours = _names_of(module.nodes, _NEVER_PATCHED)
    for node in module.nodes:
        match node:
            case ast.arg(arg=name) | ast.Name(id=name) | ast.Attribute(attr=name) if name in _MOCKS:
                lines.add(node.lineno)
            case ast.Call() if _patches(node, ours):
                lines.add(node.lineno)
    return lines


def _is_of(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def _names_of(nodes: Iterable[ast.AST], packages: tuple[str, ...]) -> set[str]:
    """Return the names in a module that refer to something from these packages."""
    names = set(packages)
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and _is_of(node.module or "", packages):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.asname for alias in node.names if alias.asname and _is_of(alias.name, packages)}
    return names


def _patches(call: ast.Call, forbidden: set[str]) -> bool:
    """Return whether this is `monkeypatch.setattr(x, ...)` with an x from a package that is never patched."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in _PATCHING and call.args):
        return False
    patched = call.args[0]
    while isinstance(patched, ast.Attribute):
        patched = patched.value
    name = patched.id if isinstance(patched, ast.Name) else patched.value if isinstance(patched, ast.Constant) else ""
    return isinstance(name, str) and name.split(".")[0] in forbidden
