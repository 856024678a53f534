"""A real browser for tests of pages: Chromium, found or installed, and what it saw of a page.

``python tests/browsers.py`` installs one where it may (Debian or Ubuntu, as root) and else says what to type.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
VARIABLE = "TESTS_BROWSER"
MISSING = (
    "There is no Chromium here, which the tests of the pages look at them with. Type `sudo apt-get install chromium` "
    f"(macOS: `brew install --cask chromium`), or set {VARIABLE} to the program of one that is installed."
)
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),  # root has no sandbox
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

SERIOUS = frozenset({"serious", "critical"})
"""What axe calls faults that keep somebody out."""


@cache
def find_browser() -> str | None:
    """The program of a browser, None where there is none."""
    known = [os.environ.get(VARIABLE), *map(shutil.which, NAMES), *(app for app in APPS if Path(app).exists())]
    return next(filter(None, known), None)


def install() -> None:
    """Install Chromium where there is none and that is allowed; exits with the line to type elsewhere."""
    if find_browser() is None and shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)  # noqa: S607  # where the system has it
        command = ["apt-get", "install", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL)
        find_browser.cache_clear()
    if find_browser() is None:
        sys.exit(MISSING)


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser, until the end of the block."""
    program = find_browser()
    assert program, MISSING
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=list(QUIET))
        yield chromium
        chromium.close()


@dataclass
class Seen:
    """A page that is open in a browser of its own profile, and what went wrong while it was looked at."""

    page: Page
    origin: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a path and wait until nothing is loading."""
        self.page.goto(f"{self.origin}{path}", wait_until="networkidle")

    def wide(self) -> bool:
        """Tell whether the page itself scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def barriers(self) -> list[str]:
        """What axe finds serious, a line each with its places."""
        found = Axe().run(self.page).response["violations"]
        return [_told(fault) for fault in found if fault["impact"] in SERIOUS]


@contextmanager
def looking(
    chromium: Browser, origin: str, *, token: str | None = None, width: int = 1280, dark: bool = False, **options: Any
) -> Iterator[Seen]:
    """A fresh profile that sends ``token`` with every request, and collects complaints of all kinds."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    context: BrowserContext = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
        extra_http_headers=headers,
        **options,
    )
    try:
        seen = Seen(context.new_page(), origin)
        host = urlsplit(origin).netloc
        told = seen.complaints.append
        seen.page.on("console", lambda message: told(f"console: {message.text}") if message.type == "error" else None)
        seen.page.on("pageerror", lambda error: told(f"script: {error}"))
        seen.page.on("request", lambda asked: told(f"asked {asked.url}") if _elsewhere(asked.url, host) else None)
        yield seen
    finally:
        context.close()


def _elsewhere(url: str, host: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != host


def _told(fault: dict[str, Any]) -> str:
    places = "; ".join(str(node["html"])[:120] for node in fault["nodes"][:3])
    return f"{fault['id']} ({len(fault['nodes'])}): {places}"


if __name__ == "__main__":
    install()
