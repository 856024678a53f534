"""``/tables``, ``/tables/NAME``, its files, ``/changes`` and ``/search``: every figure is that of the SQL behind it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import duckdb
import pytest
from http_serving import KNOWN, Answer, Serving, asked, connected, serving
from past_home import PastHome
from reads_home import device

from kandji_queries.definitions import views
from kandji_queries.reader import Reader
from kandji_schema.registry import resources

NOW = datetime.now(UTC).replace(microsecond=0)
TWO_DAYS_AGO, YESTERDAY = NOW - timedelta(days=2), NOW - timedelta(days=1)
HOSTILE = '<img src=x onerror="alert(1)">'
FORMULA = '=HYPERLINK("http://evil.example")'
BACKWARDS = "iPad \u202egnp.exe"
LONG = "word " * 5_000
SCRIPT = {"id": "s1", "name": "Long", "script": LONG, "active": True}


def fleet(*, os_version: str = "15.1") -> list[dict[str, Any]]:
    """120 Macs, of some of which little is known, and three with names that people make up."""
    rows = [device(n, os_version=os_version if n <= 3 else f"14.{n % 12}") for n in range(1, 121)]
    rows += [device(n, device_name=name) for n, name in ((121, HOSTILE), (122, FORMULA), (123, BACKWARDS))]
    rows += [
        device(124, platform=None, os_version=None, tags=None, blueprint_name=None),
        device(125, platform="iPad", tags=["lab", "büro"], is_removed=True),
        device(126, platform='it\'s "quoted" & <b>'),
    ]
    return rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    past = PastHome(tmp_path_factory.mktemp("tables"))
    apps = [{"device_id": f"d{n}", "name": f"App {n % 30}", "bundle_id": f"app.{n % 30}"} for n in range(1, 301)]
    old = [{**row, "version": "1.9", "path": f"/A/{n}"} for n, row in enumerate(apps)]
    new = [{**row, "version": "1.10" if n < 12 else "1.9"} for n, row in enumerate(old)]
    past.add(TWO_DAYS_AGO, devices=fleet(os_version="14.9"), apps=old, custom_scripts=[SCRIPT], blueprints=[])
    past.add(YESTERDAY, devices=fleet(), apps=new, blueprints=[{"id": "b1", "name": "Engineering"}])
    return past.home


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Serving]:
    with serving(home, "--no-sync") as started:
        yield started


def get(server: Serving, path: str) -> Answer:
    return asked(server.url, "GET", path, **KNOWN)


def page(server: Serving, table: str, *pairs: tuple[str, str]) -> str:
    found = get(server, f"/tables/{table}?{urlencode(pairs)}")
    assert found.status == 200, found.text
    return found.text


def count(home: Path, where: str, table: str = "devices") -> int:
    with Reader(home) as reader:
        return int(reader.run(f"SELECT count(*) FROM {table} WHERE {where}").rows[0][0])


def total(text: str) -> int:
    return int(re.search(r'<h2 id="rows">([\d,]+) rows?', text)[1].replace(",", ""))  # type: ignore[index]


def cells(text: str) -> list[list[str]]:
    body = text.partition('<table class="rows">')[2].partition("</table>")[0].partition("<tbody>")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    plain = [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]
    return [[unescape(cell).strip() for cell in row] for row in plain]


def links(text: str, words: str) -> list[str]:
    """Addresses of the links whose text has these words."""
    found = re.findall(r'<a [^>]*?href="([^"]+)"[^>]*>(.*?)</a>', text, re.DOTALL)
    return [unescape(to) for to, inside in found if words in unescape(re.sub(r"<[^>]+>", "", inside))]


def facet(text: str, column: str) -> str:
    return text.partition(f"<summary>{column}</summary>")[2].partition("</details>")[0]


def test_every_table_and_view_is_listed_with_rows_age_and_the_function_of_its_past(server: Serving) -> None:
    text = get(server, "/tables").text
    for name in (*resources(), *views()):
        assert text.count(f'href="/tables/{name}"') == 1, name
    assert "devices_as_of(moment)" in text
    assert "changes_by_thing" in text
    assert re.search(r'devices</a></th>\s*<td class="n">126</td>', text)
    assert "never synced" in text


def test_values_of_one_column_are_alternatives_and_filters_add_up(server: Serving, home: Path) -> None:
    quoted = 'it\'s "quoted" & <b>'
    assert total(page(server, "devices", ("platform", quoted))) == 1
    assert total(page(server, "devices", ("device_name__contains", "' OR 1=1 --"))) == 0
    text = page(server, "devices", ("platform", "Mac"), ("platform", "iPad"), ("os_version__below", "14.5"))
    assert total(text) == count(home, "platform IN ('Mac', 'iPad') AND version_below(os_version, '14.5')")
    assert "platform is Mac or iPad" in text


def test_rows_are_sorted_as_people_do_and_the_unknown_come_last(server: Serving) -> None:
    for sort, first in (("os_version", "14.0"), ("-os_version", "15.1")):
        view = (("_sort", sort), ("_columns", "os_version"), ("_size", "100"))
        pages = (page(server, "devices", *view, ("_page", number)) for number in ("1", "2"))
        found = [row[0] for text in pages for row in cells(text)]
        assert (found[0], found[-1].endswith("unknown"), len(found)) == (first, True, 126)
        keys = [tuple(map(int, text.split("."))) for text in found[:-1]]
        assert keys == sorted(keys, reverse=sort.startswith("-"))
    assert 'aria-sort="descending"' in page(server, "devices", ("_sort", "-os_version"))
    assert "unknown last" in page(server, "devices", ("_sort", "-os_version"))


@pytest.mark.heavy
def test_pages_have_every_row_once(server: Serving) -> None:
    text = page(server, "apps", ("_columns", "path"), ("_sort", "version"))
    seen, numbers = cells(text), 1
    while following := links(text, "Next"):
        text = get(server, following[0]).text
        seen += cells(text)
        numbers += 1
    assert (len(seen), len({row[0] for row in seen}), numbers) == (300, 300, 6)
    assert "Rows 251 to 300 of 300" in text


@pytest.mark.heavy
def test_facets_count_every_value_and_the_unknown_and_lead_to_what_they_counted(server: Serving, home: Path) -> None:
    text = page(server, "devices", ("os_version__from", "14"), ("_facet", "user_email"))
    counted = facet(text, "platform")
    found = re.findall(r'<a href="([^"]+)"[^>]*>(.*?)</a> <span class="n">([\d,]+)', counted)
    assert [(unescape(value), int(n)) for _, value, n in found] == [
        ("Mac", 123),
        ("iPad", 1),
        ('it\'s "quoted" & <b>', 1),
    ]
    assert [total(get(server, unescape(to)).text) for to, *_ in found] == [123, 1, 1]
    assert "117 more values in 117 rows" in text  # e-mail addresses
    every = page(server, "devices")
    assert total(get(server, links(facet(every, "platform"), "unknown")[0]).text) == count(home, "platform IS NULL")


def test_removed_devices_are_counted_and_told(server: Serving) -> None:
    text = page(server, "devices")
    (removed,) = links(text, "1 is removed")
    assert total(get(server, removed).text) == 1
    assert "removed" not in page(server, "devices", ("platform", "Mac")).partition('id="rows"')[2].partition("dated")[0]


@pytest.mark.slow
def test_a_chosen_value_can_be_joined_by_another_and_given_up(server: Serving) -> None:
    chosen = page(server, "devices", ("platform", "iPad"))
    both = get(server, links(facet(chosen, "platform"), "Mac")[0]).text
    assert "platform is iPad or Mac" in both
    assert total(get(server, links(facet(chosen, "platform"), "iPad")[0]).text) == 126


@pytest.mark.slow
def test_many_values_are_counted_where_more_are_asked_for(server: Serving) -> None:
    few = page(server, "apps", ("_facet", "name"))
    assert "22 more values in 220 rows" in few
    many = get(server, links(few, "More values of name")[0]).text
    assert many.count('<span class="n">10</span>') >= 30
    assert "more values" not in many


def test_what_cannot_be_read_is_told_at_its_field_and_no_row_is_shown(server: Serving) -> None:
    for pair, words in (
        (("last_check_in__gt", "99999-01-01"), "is no time"),
        (("last_check_in__between", "2026-11-01"), "Type both ends"),
        (("is_removed", "perhaps"), "neither yes nor no"),
        (("os_version__below", "Sonoma"), "is no version"),
        (("device_name__contains", "\u200b"), "can be seen"),
        (("device_name", "x" * 2_000), "2,000 characters"),
        (("platform", ""), "is not known"),
    ):
        found = get(server, f"/tables/devices?{urlencode([pair])}")
        assert (found.status, words in unescape(found.text), "<tbody>" in found.text) == (400, True, False), pair
        assert 'aria-invalid="true"' in found.text
    for name, value, words in (
        ("osversion", "15", "os_version"),
        ("_page", "-1", "no whole number"),
        ("_page", "NaN", "no whole number"),
        ("_size", "100000", "from 1 to 500"),
        ("_sort", 'x"; DROP', "no column"),
        ("_columns", "device_name,nonsense", "no column"),
        ("_facet", "extra", "documents"),
        ("_unknown", "1", "no parameter"),
        ("_as_of", "2999-01-01", "future"),
        ("_as_of", "2020-01-01", "begins at"),
        ("platform__gt", "1", "no operator"),
        ("utm\u202e<b>", "1", "no column"),
        ("device_name", "x" * 40_000, "40,000 characters"),
    ):
        found = get(server, f"/tables/devices?{urlencode([(name, value)])}")
        assert (found.status, words in unescape(found.text), "<tbody>" in found.text) == (400, True, False), name
        assert "<b>" not in found.text.partition("<main")[2]
    for number in ("NaN", "inf", "1e999", "1,5", "0x10", "٣"):
        found = get(server, f"/tables/compliance?{urlencode([('input_age_hours__gt', number)])}")
        assert (found.status, "is no number" in found.text) == (400, True)


@pytest.mark.slow
def test_a_page_behind_the_last_and_an_unknown_table_say_what_there_is(server: Serving) -> None:
    far = page(server, "devices", ("_page", "1000000000"))
    assert "There is no page 1,000,000,000" in far
    assert total(get(server, links(far, "The last one is 3")[0]).text) == 126
    unknown = get(server, "/tables/device")
    assert (unknown.status, "devices" in unknown.text) == (404, True)
    assert get(server, "/tables/DEVICES?platform=Mac").headers["location"] == "/tables/devices?platform=Mac"


def test_forms_lead_to_addresses(server: Serving) -> None:
    sent = {"platform": "Mac", "_filter": "last_check_in", "_operator": "between", "_value": "7d", "_value2": "today"}
    to = get(server, f"/tables/devices?{urlencode(sent)}").headers["location"]
    assert parse_qsl(to.partition("?")[2]) == [("platform", "Mac"), ("last_check_in__between", "7d..today")]
    picked = [("_column", "serial_number"), ("_column", "platform"), ("_sort", "platform")]
    to = get(server, f"/tables/devices?{urlencode(picked)}").headers["location"]
    assert dict(parse_qsl(to.partition("?")[2])) == {"_columns": "serial_number,platform", "_sort": "platform"}
    form = get(server, "/tables/devices?platform=Mac&_filter=os_version").text
    assert '<option value="below" selected>is a version below</option>' in form
    assert 'type="hidden" name="platform" value="Mac"' in form
    empty = get(server, "/tables/devices?_filter=model&_operator=is&_value=").headers["location"]
    assert "Type a value" in get(server, empty).text


def test_names_are_shown_as_they_are_and_lead_to_devices(server: Serving) -> None:
    text = page(server, "devices", ("_size", "200"))
    assert "<img" not in text
    assert "\u202e" not in text
    assert "\\u202e" in text
    assert 'href="/devices/d121"' in text
    assert links(text, "Engineering")[0] == "/tables/blueprints?id=b1"
    assert links(page(server, "apps"), "app.1")[0].startswith("/tables/apps?bundle_id=app.1")


def test_what_is_long_is_cut_with_the_whole_behind_it(server: Serving) -> None:
    text = page(server, "custom_scripts", ("_columns", "script"))
    assert re.search(r"<summary><bdi>(word ){5,18}", text)
    assert LONG[:19_000] in text
    whole = json.loads(get(server, "/tables/custom_scripts.json?_columns=script").text)
    assert whole == [{"script": LONG.strip()}] or whole == [{"script": LONG}]


VIEW = (("platform", "Mac"), ("_sort", "-os_version"), ("_columns", "device_name,os_version,tags,is_removed"))


@pytest.mark.heavy
def test_files_have_the_same_rows_and_columns_in_the_same_order(server: Serving, tmp_path: Path) -> None:
    text = page(server, "devices", *VIEW, ("_size", "500"))
    (to,) = links(text, "CSV")
    found = get(server, to)
    rows = [*csv.reader(io.StringIO(found.text.removeprefix("\ufeff")))]
    assert rows[0] == ["device_name", "os_version", "tags", "is_removed"]
    assert [row[1] for row in rows[1:]] == [row[1] for row in cells(text)]
    assert "'" + FORMULA in [row[0] for row in rows]
    assert found.headers["x-rows"] == str(len(rows) - 1) == str(total(text))
    assert re.search(r'filename="devices-filtered-\d{4}-.*Z\.csv"', found.headers["content-disposition"])
    (to,) = links(text, "JSON")
    assert [one["os_version"] for one in json.loads(get(server, to).text)] == [row[1] for row in rows[1:]]
    (tmp_path / "x.parquet").write_bytes(_bytes(server, links(text, "Parquet")[0]))
    with duckdb.connect() as con:
        stored = con.execute(f"SELECT * FROM '{tmp_path}/x.parquet'")
        assert [name for name, *_ in stored.description] == rows[0]
        assert [row[1] for row in stored.fetchall()] == [row[1] for row in rows[1:]]


def _bytes(server: Serving, path: str) -> bytes:
    with connected(server.url) as connection:
        connection.request("GET", path, headers={"Authorization": KNOWN["authorization"]})
        return connection.getresponse().read()


def test_no_file_is_made_of_what_cannot_be_read(server: Serving) -> None:
    assert get(server, "/tables/devices.csv?osversion=15").status == 400
    assert get(server, "/tables/devices.exe").status == 404


@pytest.mark.heavy
def test_a_table_is_shown_and_taken_along_as_it_was(server: Serving, home: Path) -> None:
    then = f"{NOW - timedelta(hours=36):%Y-%m-%dT%H:%M}"
    text = page(server, "devices", ("_as_of", then), ("os_version", "14.9"))
    with Reader(home) as reader:
        sql = "SELECT count(*) FROM devices_as_of($then) WHERE os_version = '14.9'"
        assert total(text) == reader.run(sql, {"then": then}).rows[0][0] == count(home, "os_version = '14.9'") + 3
    assert get(server, links(text, "CSV")[0]).headers["x-rows"] == str(total(text))
    assert f"as of {then.replace('T', ' ')} UTC" in text


@pytest.mark.heavy
def test_changes_are_told_by_day_and_every_number_leads_to_its_rows(server: Serving, home: Path) -> None:
    text = get(server, "/changes").text
    with Reader(home) as reader:
        every = reader.run("SELECT count(*) FROM changes_by_thing").rows[0][0]
    assert f"<h2>{every} changes</h2>" in text
    assert f'<time datetime="{YESTERDAY:%Y-%m-%d}">' in text
    kind = unescape(re.search(r'<a href="([^"]+)">app updated</a> 12', text)[1])  # type: ignore[index]
    assert "<h2>12 changes</h2>" in get(server, kind).text
    devices = unescape(re.search(r'<a href="([^"]+)">3 devices</a>', text)[1])  # type: ignore[index]
    assert total(get(server, devices).text) == 3
    part = get(server, f"/changes?since={YESTERDAY:%Y-%m-%dT%H:%M:%S}&until=today").text
    assert "T" in links(part, "3 devices")[0].partition("changed_at__ge=")[2][:11]
    assert total(get(server, links(part, "3 devices")[0]).text) == 3
    one = get(server, "/changes?device=d1&thing=device").text
    assert "os 14.9 -&gt; 15.1" in one
    assert 'href="/devices/d1"' in one


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=never", "is no time"),
        ("since=2999-01-01", "future"),
        ("since=today&until=2020-01-01", "not before"),
        ("until=2020-01-01&since=2019-01-01", "begins on"),
        ("device=nobody", "nobody"),
        ("thing=house", "no thing"),
        ("change=better", "no kind of change"),
        ("sinse=7d", "since"),
        ("page=-1", "no page"),
        ("since=" + "x" * 300, "300 characters"),
    ],
)
def test_a_period_or_device_that_is_none_is_told(server: Serving, query: str, words: str) -> None:
    found = get(server, f"/changes?{query}")
    assert (found.status, words in unescape(found.text)) == (400, True)


@pytest.mark.many
@pytest.mark.heavy
def test_each_hit_of_a_search_leads_to_its_page(server: Serving) -> None:
    for words, to in (
        ("S7", "/devices/S7"),
        ("App 7", "/tables/apps?bundle_id=app.7"),
        ("büro", "/tables/devices?tags=b%C3%BCro"),
        ("os_version", "/tables/devices?_filter=os_version#filter"),
        ("stale devices", "/queries/stale_devices"),
        ("fleet", "/tables/fleet"),
    ):
        text = get(server, f"/search?q={quote(words)}").text
        assert f'href="{to}"' in text, words
    assert "Nothing fits" in unescape(get(server, "/search?q=xyzzyq").text)
    assert get(server, "/search").status == 200
    assert get(server, "/search?q=a&kind=house").status == 400
    assert get(server, "/search?q=a&page=2").status == 400
    assert "<img" not in get(server, f"/search?q={quote(HOSTILE)}").text
