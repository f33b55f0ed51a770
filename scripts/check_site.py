"""Look at the built site in a headless Chromium: `make docs-check`.

Each page is opened at the width of a desktop and of a phone, in light and dark colors. Reported are pages that scroll
sideways, requests to other servers, errors of scripts, and violations of axe's rules for accessibility, such as too
little contrast. The search is tried once. Needs Chromium: `CHROMIUM` names it, or it is searched for on the path.

With `--pictures DIRECTORY`, pictures of some pages are written there.
"""

import argparse
import functools
import os
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, sync_playwright

SITE = Path(__file__).parents[1] / "build" / "site"
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PICTURED = (
    "index.html",
    "start.html",
    "errors.html",
    "parameters.html",
    "reference/chatkimi.html",
    "guides/hosts.html",
)
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}
# Elements beside the content, which the theme lays out for itself, may be outside of the window.
SIDEWAYS = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Serve a directory on this machine and yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(directory))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def chromium() -> str | None:
    """Return the path of Chromium; None lets Playwright use its own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


def problems_of(page: Page, name: str, axe: Axe) -> Iterator[str]:
    """Yield what is wrong with the open page."""
    if (pixels := page.evaluate(SIDEWAYS)) > 0:
        yield f"{name} scrolls sideways by {pixels} pixels"
    # The theme wraps tables after the page was loaded.
    for violation in axe.run(page, options=RULES).response["violations"]:
        places = [" ".join(node["target"]) for node in violation["nodes"]]
        yield f"{name}: {violation['id']}, {len(places)} times, first at {places[0]}"


def check_search(page: Page, url: str) -> Iterator[str]:
    """Yield what is wrong with the search."""
    page.goto(f"{url}/index.html")
    page.keyboard.press("/")
    page.keyboard.type("KimiRateLimitError")
    page.wait_for_selector(".md-search-result__item a", timeout=20_000)
    if not page.locator(".md-search-result__item a[href*=errors]").count():
        yield "the search does not find the page of the errors"


def visit(context: BrowserContext, url: str, names: Sequence[str], look: str, pictures: Path | None) -> Iterator[str]:
    """Open pages in a context of the browser, and yield what is wrong with them.

    Args:
        context: The context, with the size of a window and its colors.
        url: The URL of the site.
        names: The paths of the pages.
        look: The name of the size and the colors.
        pictures: The directory for pictures, or None.
    """
    page, axe, noticed = context.new_page(), Axe(), list[str]()
    page.on("request", lambda one: None if one.url.startswith(url) else noticed.append(f"loads {one.url}"))
    page.on("pageerror", lambda error: noticed.append(f"error of a script: {error}"))
    for name in names:
        page.goto(f"{url}/{name}")
        yield from problems_of(page, f"{name} ({look})", axe)
        if pictures and name in PICTURED:
            stem = name.replace("/", "-").removesuffix(".html")
            page.screenshot(path=pictures / f"{stem}-{look.replace(', ', '-')}.png")
    yield from check_search(page, url)
    yield from noticed


def main(arguments: Sequence[str] | None = None) -> int:
    """Check all pages and return the exit code."""
    parser = argparse.ArgumentParser(description="Look at the built site in a headless Chromium.")
    parser.add_argument("--pictures", type=Path, help="a directory for pictures of some pages")
    options = parser.parse_args(arguments)
    names = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    problems: list[str] = []
    with served(SITE) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for (width, (pixels, height)), scheme in product(WIDTHS.items(), SCHEMES):
            context = browser.new_context(viewport={"width": pixels, "height": height}, color_scheme=scheme)
            problems += visit(context, url, names, f"{width}, {scheme}", options.pictures)
            context.close()
        browser.close()
    for problem, times in Counter(problems).items():
        print(problem if times == 1 else f"{problem} ({times} times)")
    print(f"{len(names)} pages at {len(WIDTHS)} widths in {len(SCHEMES)} colors: {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
