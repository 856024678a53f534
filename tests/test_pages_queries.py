"""``/queries`` and ``/queries/NAME``: what is asked, what is answered, and what may be taken along."""

import json
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import duckdb
import pytest
from http_serving import KNOWN, TOKEN, Answer, Serving, asked, connected, serving
from reads_home import NOW, device, publish

from kandji_queries.catalog.queries import catalog
from kandji_queries.catalog.topics import ORDER, by_topic
from kandji_queries.results.spreadsheet import harmless

HOSTILE = '<img src=x onerror="alert(1)">'
FORMULA = '=HYPERLINK("http://evil.example")'
OWN = """-- title: Mine & yours
-- description: Devices of a model. And more.
-- param: model text = MacBook Air | Its model.
SELECT device_name, model FROM devices WHERE model = $model ORDER BY ALL
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("queries")
    quiet = NOW.replace(year=NOW.year - 1)
    rows = [device(number, last_check_in=quiet) for number in range(1, 131)]
    rows += [device(131, device_name=HOSTILE, last_check_in=quiet), device(132, device_name=FORMULA)]
    publish(home, {"devices": rows})
    own = home / "queries"
    own.mkdir(mode=0o700)
    for name, text in (("mine", OWN), ("broken", "-- title: x\nSELECT 1")):
        (own / f"{name}.sql").write_text(text)
        (own / f"{name}.sql").chmod(0o600)
    with serving(home, "--no-sync") as started:
        yield started


def get(server: Serving, path: str) -> Answer:
    return asked(server.url, "GET", path, **KNOWN)


def test_every_query_is_listed_under_one_topic(server: Serving) -> None:
    page = get(server, "/queries").text
    listed = [query for query in catalog().values() if query.like is None]
    assert [page.count(f'href="/queries/{query.name}"') for query in listed] == [1] * len(listed)
    topics = by_topic(catalog().values())
    assert {query.name for query in topics["Vulnerabilities and threats"]} >= {"devices_with_cve", "detected_threats"}
    assert list(topics) == list(ORDER)
    assert "Mine &amp; yours" in page
    assert "broken.sql, line 1" in unescape(page)


def test_the_filter_finds_words_anywhere_and_says_when_nothing_has_them(server: Serving) -> None:
    page = get(server, "/queries?filter=filevault+blueprint").text
    assert "/queries/encryption_by_blueprint" in page
    assert "/queries/stale_devices" not in page
    assert "No query has all these words" in get(server, "/queries?filter=xyzzy").text


def test_the_form_has_the_parameters_as_they_are_typed(server: Serving) -> None:
    page = get(server, "/queries/stale_devices").text
    assert '<input id="p-days" name="days" type="number" step="1"' in page
    assert 'min="0" max="3650" value="7"' in page
    assert 'data-values="blueprint"' in page
    assert '<option value="true" selected>yes (default)</option>' in page
    assert '<option value="Mac" selected>' in get(server, "/queries/disk_space?platform=mac").text


def test_rows_are_told_dated_and_paged_and_a_device_leads_to_its_page(server: Serving) -> None:
    first, second = (get(server, f"/queries/stale_devices?days=30{more}").text for more in ("", "&_page=2"))
    assert "131 rows" in first
    assert "As of 2026-11-20 12:00 UTC" in first
    assert 'href="/devices/d1"' in first
    assert "Rows 1 to 100 of 131" in first
    assert "Rows 101 to 131 of 131" in second
    assert "kandji-mirror sync" in first  # pages have no tools
    assert '/queries/stale_devices?days=30&amp;_page=2"' in first
    assert first.count("<tr>") == 101


def test_names_are_shown_as_they_are_written(server: Serving) -> None:
    page = get(server, "/queries/find_device?device=d131").text
    assert HOSTILE not in page
    assert HOSTILE in unescape(page)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("days=-1", "The parameter days is '-1'; it must be a whole number from 0 to 3650."),
        ("days=%F0%9F%A6%84", "it must be a whole number"),
        ("days=7&with_removed=perhaps", "it must be true or false"),
        ("blueprint=" + "x" * 2_000, "it must be a text of 1 to 1,000 characters"),
    ],
)
def test_a_wrong_value_is_told_at_its_field(server: Serving, sent: str, said: str) -> None:
    answer = get(server, f"/queries/stale_devices?{sent}")
    assert answer.status == 400
    assert said in unescape(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert "<table" not in answer.text


def test_what_is_lacking_is_told_once_something_was_sent(server: Serving) -> None:
    assert get(server, "/queries/devices_with_app").status == 200
    answer = get(server, "/queries/devices_with_app?app=+")
    assert answer.status == 400
    assert "This is needed: a text" in answer.text


def test_an_old_link_says_what_is_no_more_and_shows_the_form(server: Serving) -> None:
    answer = get(server, "/queries/stale_devices?weeks=2")
    assert answer.status == 400
    assert "There is no parameter of stale_devices" in answer.text
    assert 'name="days"' in answer.text
    assert get(server, "/queries/stale_device").status == 404


def test_the_sql_leads_into_the_console_with_its_values(server: Serving) -> None:
    page = get(server, "/queries/stale_devices?days=30").text
    assert 'href="/sql?query=stale_devices&amp;days=30"' in page
    assert "kandji-mirror query stale_devices --param days=30" in page


def test_ones_own_query_is_asked_in_a_process_of_its_own(server: Serving) -> None:
    page = get(server, "/queries/mine?model=MacBook+Air").text
    assert "132 rows" in page
    assert "/queries/mine.csv" in page
    assert "/queries/mine.parquet" not in page
    assert get(server, "/queries/broken").status == 500


def test_downloads_have_all_rows(server: Serving) -> None:
    csv = get(server, "/queries/stale_devices.csv?days=30")
    assert csv.headers["content-disposition"].startswith('attachment; filename="stale_devices-')
    assert csv.headers["cache-control"] == "no-store"
    assert csv.text.startswith("\ufeffdevice_id,")
    assert csv.text.count("\n") == 132
    assert len(json.loads(get(server, "/queries/stale_devices.json?days=30").text)) == 131
    everything = get(server, "/queries/mine.csv").text
    assert '"\'=HYPERLINK(""http' in everything  # no spreadsheet runs it


def test_parquet_is_the_file_of_an_export(server: Serving, tmp_path: Path) -> None:
    with connected(server.url) as connection:
        connection.request(
            "GET", "/queries/stale_devices.parquet?days=30", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        content = connection.getresponse().read()
    assert content[:4] == b"PAR1"
    (tmp_path / "rows.parquet").write_bytes(content)
    assert duckdb.read_parquet(str(tmp_path / "rows.parquet")).count("*").fetchall() == [(131,)]


def test_a_form_of_download_that_there_is_not_is_told(server: Serving) -> None:
    assert get(server, "/queries/stale_devices.doc").status == 404
    assert get(server, "/queries/devices_with_app.csv").status == 303


def test_values_are_proposed_from_the_mirror(server: Serving) -> None:
    assert get(server, f"/values/device?typed={quote('mac 13')}").json()[0] == "Mac 13"
    assert get(server, "/values/days?typed=1").json() == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\u200b=1", "\uff1d1", "\tx", " \u2800=x"])
def test_no_spreadsheet_runs_a_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_other_texts_stay_as_they_are() -> None:
    for text in ("", "Adas Mac", "a=b", "1-2", "🦄", "line\nbreak"):
        assert harmless(text) == text
    assert harmless("a\x07b") == "ab"
