"""The pages in a real browser: nothing loaded from elsewhere, nothing refused, nobody kept out, nothing cut off."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsers import Seen, browser, looking
from http_serving import TOKEN, Serving, serving
from playwright.sync_api import Browser
from support import synced

from kandji_queries.reader import Reader

pytestmark = pytest.mark.heavy

DEVICES = 50

PAGES = (
    *("/", "/status", "/compliance", "/devices/{serial}"),
    *("/tables/devices?platform=Mac&_sort=-os_version&_filter=model", "/changes", "/search?q=mac"),
)

LOOKS = ((390, True, None), (1280, False, 1920))
"""Width in pixels, whether it is dark, and the width that the window is drawn to, if any."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("seen")
    synced(home, DEVICES)
    return home


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Serving]:
    with serving(home, "--no-sync") as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def origin(server: Serving) -> str:
    return f"http://{urlsplit(server.url).netloc}"


@pytest.fixture(scope="module")
def serial(home: Path) -> str:
    """A Mac of which much is known."""
    with Reader(home) as reader:
        return str(
            reader.run("SELECT serial_number FROM fleet WHERE filevault_on AND user_email IS NOT NULL").rows[0][0]
        )


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_for_everybody_at_every_width(
    chromium: Browser, server: Serving, serial: str, path: str
) -> None:
    for width, dark, wider in LOOKS:
        with looking(chromium, origin(server), token=TOKEN, width=width, dark=dark) as seen:
            seen.open(path.format(serial=serial))
            assert seen.page.locator("h1").count() == 1
            assert not seen.wide(), width
            assert dark or seen.barriers() == []
            if wider:
                seen.page.set_viewport_size({"width": wider, "height": 1080})
                assert not seen.wide(), wider
            assert seen.complaints == []


def test_signing_in_by_keyboard_alone_leads_to_the_overview(chromium: Browser, server: Serving) -> None:
    with looking(chromium, origin(server)) as seen:
        seen.open("/status")
        assert seen.barriers() == []
        seen.page.keyboard.type(TOKEN)  # the field has the focus
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_url("**/status")
        assert seen.page.locator("h1").inner_text() == "Status"
        _reached(seen, "Sign out")
        seen.page.keyboard.press("Enter")
        seen.page.wait_for_url("**/sign-in*")
        assert seen.complaints == []


def _reached(seen: Seen, words: str) -> None:
    """Press Tab until what has the focus says these words."""
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.innerText").startswith(words):
            return
    pytest.fail(f"{words} is not reached by keyboard")


@pytest.mark.many
def test_an_empty_mirror_says_what_to_do_on_every_page(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        serving(tmp_path_factory.mktemp("empty"), "--no-sync") as started,
        looking(chromium, origin(started), token=TOKEN) as seen,
    ):
        for path in ("/status", "/tables", "/tables/devices", "/changes", "/search?q=mac"):
            answer = seen.page.goto(f"{seen.origin}{path}")
            assert answer is not None
            assert answer.status in {200, 503}
            assert "sync" in seen.page.locator("main").inner_text()
