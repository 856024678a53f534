"""``/sql``: what is run and what never is, what is told, and that a statement ends when nobody waits for it."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from html import unescape
from http.client import HTTPConnection
from urllib.parse import quote, urlencode, urlsplit

import pytest
from http_serving import KNOWN, TOKEN, Answer, Serving, asked, connected, serving
from reads_home import device, publish

from kandji_queries.advice.told import Told, read_error
from kandji_queries.catalog.params import parameters_in

FORM = "application/x-www-form-urlencoded"
FOREVER = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range = 7"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    home = tmp_path_factory.mktemp("console")
    rows = [device(number, platform="iPad" if number % 3 else "Mac") for number in range(1, 301)]
    publish(home, {"devices": [*rows, device(301, device_name="<script>alert(1)</script>")]})
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
    assert cells(answer) == [["Mac", "101", "NULL"], ["iPad", "200", "NULL"]]
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
    answer = run(server, "SELECT device_name FROM devices WHERE device_id = 'd301'")
    assert cells(answer) == [["<script>alert(1)</script>"]]
    assert "<script>alert" not in answer.text
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
    assert cells(run(server, sql, p__platform="Mac", p__less="3")) == [["101"]]
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
    assert "301 rows" in run(server, "SELECT device_id FROM devices", rows="100000").text


def test_a_plan_is_shown_as_it_is_drawn(server: Serving) -> None:
    answer = run(server, "SELECT platform FROM devices", do="explain")
    assert '<pre class="plan"' in answer.text
    assert "Table: devices" in answer.text.replace("stored_devices.main.", "")


def test_rows_may_be_taken_along(server: Serving) -> None:
    sql = "SELECT device_id, '=1+1' AS formula FROM devices ORDER BY 1"
    csv = run(server, sql, do="csv", rows="100")
    assert csv.headers["content-disposition"].startswith('attachment; filename="sql-')
    assert csv.text.splitlines()[:2] == ["\ufeffdevice_id,formula", "d1,'=1+1"]
    assert csv.text.count("\n") == 302
    assert json.loads(run(server, sql, do="json").text)[0] == {"device_id": "d1", "formula": "=1+1"}
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
