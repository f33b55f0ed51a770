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
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

SITE = Path(__file__).parents[1] / "build" / "site"
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
SCHEMES = ("light", "dark")
PICTURED = ("index.html", "start.html", "errors.html", "parameters.html", "reference/chatkimi.html", "guides/hosts.html")
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
    for violation in axe.run(page, options=RULES).response["violations"]:
        places = [" ".join(node["target"]) for node in violation["nodes"]]
        yield f"{name}: {violation['id']}, {len(places)} times, first at {places[0]}"


def check_search(page: Page, url: str) -> Iterator[str]:
    """Yield what is wrong with the search."""
    page.goto(f"{url}/index.html")
    page.keyboard.press("/")
    page.keyboard.type("KimiRateLimitError")
    page.wait_for_selector(".md-search-result__item a", timeout=20_000)
    if not page.locator(".md-search-result__item a").count():
        yield "the search finds nothing"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check all pages and return the exit code."""
    parser = argparse.ArgumentParser(description="Look at the built site in a headless Chromium.")
    parser.add_argument("--pictures", type=Path, help="a directory for pictures of some pages")
    options = parser.parse_args(arguments)
    names = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    problems: list[str] = []
    axe = Axe()
    with served(SITE) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for width, (pixels, height) in WIDTHS.items():
            for scheme in SCHEMES:
                context = browser.new_context(viewport={"width": pixels, "height": height}, color_scheme=scheme)
                page = context.new_page()
                page.on("request", lambda one: one.url.startswith(url) or problems.append(f"loads {one.url}"))
                page.on("pageerror", lambda error: problems.append(f"error of a script: {error}"))
                for name in names:
                    page.goto(f"{url}/{name}")
                    problems += problems_of(page, f"{name} ({width}, {scheme})", axe)
                    if options.pictures and name in PICTURED:
                        picture = f"{name.replace('/', '-').removesuffix('.html')}-{width}-{scheme}.png"
                        page.screenshot(path=options.pictures / picture)
                if (width, scheme) == ("desktop", "light"):
                    problems += check_search(page, url)
                context.close()
        browser.close()
    for problem, times in Counter(problems).items():
        print(problem if times == 1 else f"{problem} ({times} times)")
    print(f"{len(names)} pages at {len(WIDTHS)} widths in {len(SCHEMES)} colors: {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
