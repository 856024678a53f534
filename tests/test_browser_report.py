"""The report in a real browser, from a file: nothing loaded, nothing refused, nobody kept out, and whole on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import browser, looking
from playwright.sync_api import Browser
from support import synced
from test_evidence_files import small

from kandji_queries.reader import Reader
from kandji_web.evidence.writing import html as evidence_page
from kandji_web.report.contents import About, Wanted
from kandji_web.report.reading import read_report
from kandji_web.report.writing import html

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("seen")
    synced(home, 50)
    with Reader(home) as reader:
        page = html(read_report(reader, Wanted(since="1h"), About(tenant="example", version="1.0"), masked=False))
    path = home / "fleet.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1280, False)])
def test_the_report_is_whole_for_everybody_at_every_width(
    chromium: Browser, file: Path, width: int, dark: bool
) -> None:
    with looking(chromium, "file://", width=width, dark=dark) as seen:
        seen.open(str(file))
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert not seen.wide()
        assert seen.complaints == []
        assert seen.barriers() == []


def test_every_table_is_open_on_paper(chromium: Browser, file: Path) -> None:
    with looking(chromium, "file://") as seen:
        seen.open(str(file))
        closed = seen.page.locator("details:not([open]) table")
        assert closed.count() > 10
        seen.page.emulate_media(media="print")
        assert all(closed.nth(place).is_visible() for place in range(closed.count()))
        assert seen.page.pdf(format="A4").startswith(b"%PDF")


def test_evidence_is_whole_for_everybody_and_on_paper(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(evidence_page(small()), encoding="utf-8")
    with looking(chromium, "file://", width=390, dark=True) as seen:
        seen.open(str(path))
        seen.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert not seen.wide()
        assert (seen.complaints, seen.barriers()) == ([], [])
        seen.page.emulate_media(media="print")
        assert all(table.is_visible() for table in seen.page.locator("table").all())
