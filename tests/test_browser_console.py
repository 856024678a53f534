"""The console and the queries in a real browser: the editor, cancelling, what is proposed, and what is kept."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from browsers import Seen, browser, looking
from http_serving import TOKEN, Serving, serving
from playwright.sync_api import Browser
from reads_home import device, publish

pytestmark = pytest.mark.heavy

FOREVER = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"
WAIT = 30_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home: Path = tmp_path_factory.mktemp("console")
    publish(home, {"devices": [device(number, platform="iPad" if number % 3 else "Mac") for number in range(1, 31)]})
    with serving(home, "--no-sync", KANDJI_MIRROR_QUERY_SECONDS="600") as started:
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def origin(server: Serving) -> str:
    return f"http://{urlsplit(server.url).netloc}"


def signed_in(seen: Seen, path: str) -> None:
    """Sign in as people do: forms carry the key of a session."""
    seen.open(f"/sign-in?to={quote(path, safe='')}")
    seen.page.fill("#token", TOKEN)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url(f"**{path.partition('?')[0]}*")


def test_a_statement_is_written_completed_run_drawn_and_remembered(chromium: Browser, server: Serving) -> None:
    with looking(chromium, origin(server), dark=True) as seen:
        signed_in(seen, "/sql")
        page, keys = seen.page, seen.page.keyboard
        page.locator(".cm-content").click(timeout=WAIT)
        keys.type("SELECT platform, count(*) AS n FROM devices GROUP BY pla")
        keys.press("Control+Space")
        page.locator(".cm-tooltip-autocomplete li", has_text="platform").first.wait_for(timeout=WAIT)
        page.wait_for_timeout(200)  # what has just come up is not taken by a key that was meant for the text
        keys.press("Tab")
        keys.press("Control+Enter")
        page.locator("#answer h2", has_text="2 rows").wait_for(timeout=WAIT)
        assert seen.barriers() == []
        page.locator("details.draw summary").click()
        page.select_option("#chart", "bar")
        page.get_by_role("button", name="Draw", exact=True).click()
        page.locator("#answer svg[role=img]").wait_for(timeout=WAIT)
        seen.open(page.url.removeprefix(seen.origin))  # the address fills it in again
        assert "GROUP BY platform" in page.locator(".cm-content").inner_text()
        assert page.locator("#answer table").count() == 0
        page.locator("#statements button").first.click()
        page.locator("#forget").click()
        assert page.locator("#history").is_hidden()
        assert seen.complaints == []


def test_an_error_is_marked_and_its_cure_fills_itself_in(chromium: Browser, server: Serving) -> None:
    with looking(chromium, origin(server), width=390) as seen:
        signed_in(seen, "/sql?sql=SELECT%20platfrm%20FROM%20devices")
        page = seen.page
        page.get_by_role("button", name="Run", exact=True).click()
        page.locator(".cm-lintRange-error", has_text="platfrm").wait_for(timeout=WAIT)
        assert not seen.wide()
        page.get_by_role("link", name="Fill it in").click()
        assert page.locator(".cm-content").inner_text().strip() == "SELECT platform FROM devices"
        page.keyboard.press("Tab")  # nothing is proposed: it leaves the editor
        assert page.evaluate("document.activeElement.textContent") == "Run"
        assert seen.complaints == []


def test_cancel_stops_the_statement(chromium: Browser, server: Serving) -> None:
    with looking(chromium, origin(server)) as seen:
        signed_in(seen, f"/sql?sql={quote(FOREVER)}")
        page = seen.page
        for _ in range(4):  # more than may run at once
            page.get_by_role("button", name="Run", exact=True).click()
            page.get_by_role("button", name="Cancel", exact=True).click()
            page.get_by_text("Cancelled: the statement was stopped.").wait_for(timeout=WAIT)
        page.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.type("SELECT 6 * 7 AS n")
        page.keyboard.press("Control+Enter")
        page.locator("td", has_text="42").wait_for(timeout=WAIT)
        assert seen.complaints == []


def test_queries_are_whole_and_propose_values(chromium: Browser, server: Serving) -> None:
    with looking(chromium, origin(server), token=TOKEN, width=390) as seen:
        for path in ("/queries/devices_by?attribute=platform", "/queries"):
            seen.open(path)
            assert not seen.wide()
        assert seen.barriers() == []
        seen.open("/queries/find_device")
        seen.page.locator("#p-device").press_sequentially("mac 1")
        seen.page.locator("#p-device-offers option").nth(1).wait_for(state="attached", timeout=WAIT)
        assert seen.complaints == []


def test_an_age_goes_on(chromium: Browser, server: Serving) -> None:
    with looking(chromium, origin(server), token=TOKEN) as seen:
        seen.page.clock.install()
        seen.open("/queries/stale_devices?days=0")
        before = seen.page.locator(".dated").inner_text()
        seen.page.clock.fast_forward(3 * 24 * 60 * 60 * 1_000)
        after = seen.page.locator(".dated").inner_text()
        days = [int(text.partition("UTC, ")[2].split()[0]) for text in (before, after)]
        assert days[1] - days[0] == 3


@pytest.mark.many
def test_without_script_the_form_is_answered_by_a_page(chromium: Browser, server: Serving) -> None:
    with looking(chromium, origin(server), java_script_enabled=False) as seen:
        signed_in(seen, "/sql")
        seen.page.fill("#statement", "SELECT $a AS chosen")
        seen.page.get_by_role("button", name="Run", exact=True).click()
        seen.page.get_by_label("$a").fill("mine")
        seen.page.get_by_role("button", name="Run", exact=True).click()
        assert seen.page.locator("td").inner_text() == "mine"
        assert seen.page.locator("#cancel").is_hidden()
