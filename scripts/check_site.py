"""Look at the built site in a headless Chromium: `make docs-check`.

Each page is loaded once and shown at the width of a desktop and of a phone, in light and dark colors. The script
reports pages that scroll sideways, requests to other servers, errors of scripts, and violations of axe's accessibility
rules, such as too little contrast. axe checks each page at the width of a desktop (in dark colors, only the contrast),
and some pages at the width of a phone. The search is tried once at each width and in each color. The script needs
Chromium: the variable `CHROMIUM` names it, or it is searched for on the path.

With `--pictures DIRECTORY`, pictures of some pages are written there.
"""

import argparse
import os
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

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
# Without the limit to violations, axe describes every element that passes, which takes most of the time.
RULES = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"], "resultTypes": ["violations"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]},
}
SIDEWAYS = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
# The contrast is checked when colors have changed, not while they fade.
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
SHOWN = "document.body.getAttribute('data-md-color-scheme') === "
SHOWN_AS = {"light": "'default'", "dark": "'slate'"}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Serve a directory on this machine and yield its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(directory))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def chromium() -> str | None:
    """Return the path of Chromium; None lets Playwright use its own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


def violations(page: Page, scheme: str, axe: Axe) -> Iterator[str]:
    """Yield the violations of accessibility on the open page, which is shown in the colors of a scheme."""
    for violation in axe.run(page, options=RULES[scheme]).response["violations"]:
        places = [" ".join(node["target"]) for node in violation["nodes"]]
        yield f"{violation['id']}, {len(places)} times, first at {places[0]}"


def check_search(page: Page, url: str) -> Iterator[str]:
    """Yield the problems of the search."""
    page.goto(f"{url}/index.html")
    page.keyboard.press("/")
    page.keyboard.type("KimiRateLimitError")
    page.wait_for_selector(".md-search-result__item a", timeout=20_000)
    if not page.locator(".md-search-result__item a[href*=errors]").count():
        yield "the search does not find the page of the errors"


def looks(page: Page) -> Iterator[tuple[str, str]]:
    """Show the open page at each width in each color, and yield the names of the width and the colors."""
    for (width, (pixels, height)), scheme in product(WIDTHS.items(), SCHEMES):
        page.set_viewport_size({"width": pixels, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # The theme changes the colors in a handler of an event.
        page.wait_for_function(SHOWN + SHOWN_AS[scheme])
        yield width, scheme


def visit(browser: Browser, url: str, names: Sequence[str], pictures: Path | None) -> Iterator[str]:
    """Open pages one after the other, and yield what is wrong with them.

    Args:
        browser: The browser.
        url: The URL of the site.
        names: The paths of the pages.
        pictures: The directory for pictures, or None.
    """
    page, axe, noticed = browser.new_page(), Axe(), list[str]()
    page.on("request", lambda one: None if one.url.startswith(url) else noticed.append(f"loads {one.url}"))
    page.on("pageerror", lambda error: noticed.append(f"error of a script: {error}"))
    for name in names:
        page.goto(f"{url}/{name}")
        page.add_style_tag(content=STILL)
        for width, scheme in looks(page):
            place = f"{name} ({width}, {scheme})"
            if (pixels := page.evaluate(SIDEWAYS)) > 0:
                yield f"{place} scrolls sideways by {pixels} pixels"
            # Both widths show the same elements.
            if width == "desktop" or name in PICTURED:
                yield from (f"{place}: {violation}" for violation in violations(page, scheme, axe))
            if pictures and name in PICTURED:
                stem = name.replace("/", "-").removesuffix(".html")
                page.screenshot(path=pictures / f"{stem}-{width}-{scheme}.png")
        if name == "index.html":
            for _ in looks(page):
                yield from check_search(page, url)
    yield from noticed


def checked(url: str, pictures: Path | None, names: Sequence[str]) -> list[str]:
    """Return the problems of pages in a browser of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        problems = list(visit(browser, url, names, pictures))
        browser.close()
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Check all pages and return the exit code."""
    parser = argparse.ArgumentParser(description="Look at the built site in a headless Chromium.")
    parser.add_argument("--pictures", type=Path, help="a directory for pictures of some pages")
    options = parser.parse_args(arguments)
    names = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    # The largest pages are those of the reference: each browser gets every n-th page.
    number = min(os.cpu_count() or 1, 4)
    parts = [names[start::number] for start in range(number)]
    with served(SITE) as url, ThreadPoolExecutor(number) as pool:
        results = pool.map(partial(checked, url, options.pictures), parts)
        problems = [problem for part in results for problem in part]
    for problem, times in Counter(problems).items():
        print(problem if times == 1 else f"{problem} ({times} times)")
    print(f"{len(names)} pages at {len(WIDTHS)} widths in {len(SCHEMES)} colors: {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
