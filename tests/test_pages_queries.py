"""``/sql`` and ``/queries``: what is run and what never is, what is told, and what may be taken along."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import duckdb
import pytest
from http_serving import KNOWN, TOKEN, Answer, Serving, asked, connected, serving
from reads_home import NOW, device, publish

from kandji_queries.advice.told import Told, read_error
from kandji_queries.catalog.params import parameters_in
from kandji_queries.catalog.queries import catalog
from kandji_queries.catalog.topics import ORDER, by_topic
from kandji_queries.results.spreadsheet import harmless

FORM = "application/x-www-form-urlencoded"
HOSTILE = '<img src=x onerror="alert(1)">'
FORMULA = '=HYPERLINK("http://evil.example")'
OWN = """-- title: Mine & yours
-- description: Devices of a model. And more.
-- param: model text = MacBook Air | Its model.
SELECT device_name, model FROM devices WHERE model = $model ORDER BY ALL
"""
FOREVER = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("asked")
    quiet = NOW.replace(year=NOW.year - 1)
    names: dict[int, dict[str, Any]] = {
        131: {"device_name": HOSTILE},
        132: {"device_name": FORMULA, "last_check_in": NOW},
    }
    rows = [
        device(number, **{"platform": "iPad" if number % 3 else "Mac", "last_check_in": quiet, **names.get(number, {})})
        for number in range(1, 133)
    ]
    publish(home, {"devices": rows})
    own = home / "queries"
    own.mkdir(mode=0o700)
    for name, text in (("mine", OWN), ("broken", "-- title: x\nSELECT 1")):
        (own / f"{name}.sql").write_text(text)
        (own / f"{name}.sql").chmod(0o600)
    with serving(home, "--no-sync", KANDJI_MIRROR_QUERY_SECONDS="600") as started:
        yield started


def origin(server: Serving) -> str:
    return f"http://{urlsplit(server.url).netloc}"


def run(server: Serving, sql: str, **fields: str | list[str]) -> Answer:
    body = urlencode({"sql": sql, **{name.replace("__", "."): value for name, value in fields.items()}}, doseq=True)
    return asked(server.url, "POST", "/sql", body.encode(), content_type=FORM, **KNOWN)


def cells(answer: Answer) -> list[list[str]]:
    """The rows of the table of an answer, as texts."""
    body = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    ]


def test_a_statement_is_answered_with_its_date(server: Serving) -> None:
    answer = run(server, "SELECT platform, count(*) AS devices, NULL AS nothing FROM devices GROUP BY ALL ORDER BY 1")
    assert answer.status == 200
    assert cells(answer) == [["Mac", "44", "NULL"], ["iPad", "88", "NULL"]]
    assert "As of 2026-11-20 12:00 UTC" in answer.text
    assert "kandji-mirror sync" in answer.text
    assert "SELECT platform, count(*)" in answer.text.partition("</textarea>")[0]


def test_a_link_fills_in_and_runs_nothing(server: Serving) -> None:
    page = asked(server.url, "GET", f"/sql?sql={quote('SELECT 40 + 2 AS n')}&do=run", **KNOWN).text
    assert "SELECT 40 + 2 AS n</textarea>" in page
    assert "<tbody>" not in page
    named = asked(server.url, "GET", "/sql?query=stale_devices&days=30", **KNOWN).text
    assert 'name="p.days" value="30"' in named
    assert 'name="p.blueprint" value="null"' in named
    assert "FROM devices" in named


def test_values_are_shown_and_never_obeyed(server: Serving) -> None:
    answer = run(server, "SELECT device_name FROM devices WHERE device_id = 'd131'")
    assert cells(answer) == [[HOSTILE]]
    assert HOSTILE not in answer.text
    hostile = "SELECT '</textarea><script>alert(2)</script>' AS x"
    assert "<script>alert" not in run(server, hostile).text


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM devices",
        "SELECT 1; SELECT 2",
        "COPY devices TO '/tmp/x.csv'",
        "ATTACH '/etc/passwd' AS p",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SET threads = 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT getenv('HOME')",
        "",
    ],
)
def test_what_the_guard_refuses_is_refused_here(server: Serving, sql: str) -> None:
    for do in ("run", "explain", "csv"):
        answer = run(server, sql, do=do)
        assert answer.status == 400
        assert 'role="alert"' in answer.text
        assert "root:" not in answer.text


def test_an_error_is_told_at_its_place_and_its_cure_fills_itself_in(server: Serving) -> None:
    answer = run(server, "SELECT count(*)\nFROM devices\nWHERE platfrm = 'Mac'")
    assert answer.status == 400
    assert "Line 3, column 7." in answer.text
    assert "<mark>platfrm</mark>" in answer.text
    cure = "SELECT count(*)\nFROM devices\nWHERE platform = 'Mac'"
    assert f'href="/sql?{urlencode({"sql": cure})}"' in unescape(answer.text)
    explained = run(server, "SELECT platfrm FROM devices", do="explain")
    assert "Line 1, column 8." in explained.text


def test_a_script_gets_what_is_wrong_as_a_page(server: Serving) -> None:
    assert run(server, "SELECT platfrm FROM devices", part="1").status == 200


def test_parameters_get_fields_and_are_bound(server: Serving) -> None:
    sql = "SELECT count(*) AS n FROM devices WHERE platform = $platform AND $less + 1 < 10"
    lacking = run(server, sql)
    assert lacking.status == 400
    assert 'name="p.platform"' in lacking.text
    assert "Give $less a value" in lacking.text
    assert cells(run(server, sql, p__platform="Mac", p__less="3")) == [["44"]]
    assert cells(run(server, "SELECT $a IS NULL AS n, '$b' AS s", p__a="null")) == [["true", "$b"]]
    injected = run(server, "SELECT $a AS a", p__a="'; DELETE FROM devices; --")
    assert cells(injected) == [["'; DELETE FROM devices; --"]]


def test_bounds_are_told(server: Serving) -> None:
    assert "200,000 are taken at most" in run(server, f"SELECT '{'x' * 200_001}'").text
    many = "SELECT " + ", ".join(f"$p{number}" for number in range(41))
    assert "41 parameters; 40 at most" in run(server, many).text
    assert "1,001 characters; 1,000 at most" in run(server, "SELECT $a", p__a="x" * 1_001).text
    assert run(server, "x" * 800_000).status == 413
    assert run(server, "SELECT 1", y=["a"] * 300).status == 400


def test_no_more_rows_are_shown_than_were_asked_for(server: Serving) -> None:
    answer = run(server, "SELECT device_id FROM devices", rows="100")
    assert "The first 100 rows" in answer.text
    assert "Show more rows, take the rows along as a file, or aggregate." in answer.text
    assert len(cells(answer)) == 100
    assert "132 rows" in run(server, "SELECT device_id FROM devices", rows="100000").text


def test_a_plan_is_shown_as_it_is_drawn(server: Serving) -> None:
    answer = run(server, "SELECT platform FROM devices", do="explain")
    assert '<pre class="plan"' in answer.text
    assert "Table: devices" in answer.text.replace("stored_devices.main.", "")


def test_rows_may_be_taken_along(server: Serving) -> None:
    sql = "SELECT device_id, '=1+1' AS \"=formula\" FROM devices ORDER BY 1"
    csv = run(server, sql, do="csv", rows="100")
    assert csv.headers["content-disposition"].startswith('attachment; filename="sql-')
    assert csv.text.splitlines()[:2] == ["\ufeffdevice_id,'=formula", "d1,'=1+1"]
    assert csv.text.count("\n") == 133
    assert json.loads(run(server, sql, do="json").text)[0] == {"device_id": "d1", "=formula": "=1+1"}
    too_many = run(server, "SELECT range FROM range(100001)", do="csv")
    assert too_many.status == 400
    assert "more than 100,000 rows" in too_many.text


def test_an_answer_is_drawn_as_it_is_chosen(server: Serving) -> None:
    sql = 'SELECT platform AS "a ""b"" <c>", count(*) AS devices FROM devices GROUP BY ALL'
    drawn = run(server, sql, chart="bar", x='a "b" <c>', y=["devices"])
    assert "<svg" in drawn.text
    assert "style=" not in drawn.text
    assert "devices by a &#34;b&#34; &lt;c&gt;" in drawn.text
    assert "no column &#39;gone&#39;" in run(server, sql, chart="bar", x="gone", y=["devices"]).text
    assert "at least one column of numbers" in run(server, sql, chart="stacked", x="devices").text
    assert "not &#39;pie&#39;" in run(server, sql, chart="pie", x="devices", y=["devices"]).text
    assert "two columns of names" in run(server, sql, chart="heat", x="devices", y=["devices"]).text


@pytest.mark.parametrize(
    ("sql", "x"),
    [
        ("SELECT [1, 2] AS a, 3 AS n", "a"),
        ("SELECT map {'a': 1} AS a, 2 AS n", "a"),
        ("SELECT '290309-12-22 (BC) 00:00:00'::TIMESTAMP AS a, 'nan'::DOUBLE AS n", "a"),
        ("SELECT NULL AS a, 170141183460469231731687303715884105727 AS n", "a"),
        ("SELECT chr(8238) || '<b>' || chr(0) AS a, 1 AS n", "a"),
        ("SELECT 1 AS n, 2 AS n, 3 AS n", "n_3"),
    ],
)
def test_odd_values_are_shown_and_drawn(server: Serving, sql: str, x: str) -> None:
    answer = run(server, sql, chart="line", x=x, y=["n"])
    assert answer.status == 200
    assert "<svg" in answer.text or "cannot be drawn" in answer.text
    assert "<b>" not in answer.text


def test_names_for_completion_are_those_of_the_mirror(server: Serving) -> None:
    names = asked(server.url, "GET", "/sql/names", **KNOWN).json()
    assert ["platform", "VARCHAR"] in [column[:2] for column in names["tables"]["devices"]["columns"]]
    assert names["tables"]["fleet"]["kind"] == "view"
    assert {"count", "version_below"} <= {*names["functions"]["engine"], *names["functions"]["ours"]}
    assert "read_csv" not in json.dumps(names["functions"])
    assert names["past"] == ["changes_between"]
    assert {"name": "stale_devices", "title": "Devices without recent contact"} in names["queries"]
    assert "FROM devices" in asked(server.url, "GET", "/sql/names?query=stale_devices", **KNOWN).json()["sql"]


def test_only_a_page_of_the_session_may_run_statements(server: Serving) -> None:
    body = urlencode({"token": TOKEN, "to": "/sql"}).encode()
    signed = asked(server.url, "POST", "/sign-in", body, content_type=FORM, origin=origin(server))
    cookie = signed.headers["set-cookie"].partition(";")[0]
    page = asked(server.url, "GET", "/sql", cookie=cookie).text
    key = re.search(r'name="key" value="([^"]+)"', page.partition('id="console"')[2])
    assert key is not None

    def sent(fields: dict[str, str], **headers: str) -> Answer:
        body = urlencode({"sql": "SELECT 6 * 7 AS n", **fields}).encode()
        return asked(server.url, "POST", "/sql", body, content_type=FORM, cookie=cookie, **headers)

    assert cells(sent({"key": key[1]}, origin=origin(server))) == [["42"]]
    for refused in (
        sent({}, origin=origin(server)),
        sent({"key": "x" * 32}, origin=origin(server)),
        sent({"key": key[1]}, origin="http://evil.example"),
        sent({"key": key[1]}, origin="null"),
        sent({"key": key[1]}),
    ):
        assert refused.status == 403
        assert "42" not in refused.text


def used(server: Serving) -> str:
    """The processor time of the processes that run statements, in whole seconds."""
    command = ["ps", "-A", "-ww", "-o", "ppid=,time=,args="]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    own = (line.split(None, 2) for line in lines if "kandji_queries.workers.child" in line)
    return " ".join(spent for parent, spent, _ in own if int(parent) == server.process.pid)


def soon(true: Callable[[], bool]) -> bool:
    """Tell whether something is so within twenty seconds."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return False


def still(server: Serving) -> bool:
    """Tell whether the processes that run statements work at nothing."""
    before = used(server)
    time.sleep(2.2)
    return used(server) == before


@pytest.mark.slow
def test_a_statement_ends_when_its_page_is_left(server: Serving) -> None:
    run(server, "SELECT 1")
    before = used(server)
    with connected(server.url) as connection:
        _begin(connection, FOREVER)
        assert soon(lambda: used(server) != before)
    assert soon(lambda: still(server))


def _begin(connection: HTTPConnection, sql: str) -> None:
    body = urlencode({"sql": sql}).encode()
    connection.request("POST", "/sql", body, {"Content-Type": FORM, "Authorization": f"Bearer {TOKEN}"})


def test_errors_are_taken_apart() -> None:
    text = "There is no column 'b'.\nThis would run: SELECT a\nFROM t\nLINE 2:   b,\n          ^"
    assert read_error(text, "SELECT a\n  b,") == Told("There is no column 'b'.", "SELECT a\nFROM t", 2, 3, 1)
    long = f"SELECT {'x' * 100} AS a, wrong FROM devices"
    cut = f"Nothing.\n\nLINE 1: ...{long[60:]}\n{' ' * (8 + 3 + long.index('wrong') - 60)}^^^^^"
    assert read_error(cut, long) == Told("Nothing.", "", 1, long.index("wrong") + 1, 5)
    assert read_error("Plain.\nLINE 9: x\n        ^", "SELECT 1") == Told("Plain.")
    assert read_error("Refused.\nWrite: SELECT 1", "x") == Told("Refused.", "SELECT 1")


def test_parameters_are_found_in_code_alone() -> None:
    sql = "SELECT $a, '$b', \"$c\", $$ $d $$, $t$ $e $t$ -- $f\n, /* $g */ $h::INT + $a"
    assert parameters_in(sql) == ("a", "h")


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
