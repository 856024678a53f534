"""The report: one page that needs nothing else, says all it knows and what it does not, and its record beside it."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from agent_fleet import FOX, READ, ROBERT, agent_fleet
from known_fleet import USERS
from past_home import PastHome, hours
from reads_home import device, publish

from kandji_queries.reader import Reader
from kandji_schema.errors import NotFresh, UnknownName, UsageError
from kandji_web.report.contents import About, Report, Wanted
from kandji_web.report.file import checked, record_path, write_report
from kandji_web.report.nameless import GONE, Nameless
from kandji_web.report.reading import read_report
from kandji_web.report.sections import SECTIONS
from kandji_web.report.table import ROWS
from kandji_web.report.writing import html

VOID = {"meta", "link", "br", "img", "input", "hr", "path", "rect", "line"}
HOSTILE = "<script>alert(1)</script>\"'&\u202e" + "x" * 300


@dataclass
class Page(HTMLParser):
    """What a page is made of."""

    text: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    style: str = ""

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)
        self._open: list[str] = []
        self.feed(self.text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def policy(self) -> str:
        return next(str(meta["content"]) for meta in self.all("meta") if meta.get("http-equiv"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("home")
    agent_fleet(found)
    return found


@pytest.fixture(scope="module")
def reader(home: Path) -> Iterator[Reader]:
    with Reader(home) as found:
        yield found


def read(reader: Reader, **wanted: Any) -> Report:
    about = About(tenant="example", version="1.0", budget="7 requests.")
    report = read_report(reader, Wanted(**wanted), about, masked=False)
    return Nameless.of(reader).report(report) if report.wanted.anonymous else report


@pytest.fixture(scope="module")
def report(reader: Reader) -> Report:
    return read(reader)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return html(report)


@pytest.mark.slow
def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    found = Page(page)
    assert found.all("script") == []
    assert not re.search(r'\son\w+=|javascript:|\sstyle="|@import|url\((?!#)', page)
    assert [link["href"] for link in found.all("link")] == ["data:,"]
    assert all(str(link["href"]).startswith("#") for link in found.all("a"))
    assert not [tag for tag, attributes in found.tags if "src" in attributes or "srcset" in attributes]


@pytest.mark.slow
def test_the_policy_allows_the_one_style_by_its_hash(page: str) -> None:
    found = Page(page)
    digest = base64.b64encode(hashlib.sha256(found.style.encode()).digest()).decode()
    assert len(found.all("style")) == 1
    assert f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'" in (
        found.policy()
    )


@pytest.mark.slow
def test_every_section_has_its_pictures_with_a_sentence_a_date_and_a_table(report: Report, page: str) -> None:
    found = Page(page)
    ids = [str(attributes["id"]) for _, attributes in found.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert {section.name for section in SECTIONS} <= set(ids)
    assert (len(found.all("h1")), len(found.all("main"))) == (1, 1)
    pictures = [told for section in report.sections for told in section.pictures]
    assert len(found.all("figure")) == len(found.all("figcaption")) == len(pictures)
    assert all(told.sentence for told in pictures)
    answered = [told.picture for told in pictures if told.picture and told.picture.rows]
    assert len(found.all("details")) == len(answered)
    assert len(found.all("svg")) == len([picture for picture in answered if picture.chart])


@pytest.mark.heavy
def test_numbers_are_those_of_the_queries_behind_them(report: Report, reader: Reader) -> None:
    for section in report.sections:
        for told in section.pictures:
            assert told.picture
            if told.picture.name != "mirror_ages":  # ages move while one looks
                assert told.picture.rows == reader.query(told.picture.name, told.picture.params).rows


@pytest.mark.slow
def test_the_top_says_when_the_data_are_of_and_what_is_not_whole(report: Report, page: str) -> None:
    assert f"As of {READ:%Y-%m-%d %H:%M} UTC" in page
    assert [figure.n for figure in report.figures][:2] == [8, 1]
    assert any("never synced" in note for note in report.notes)
    assert "7 requests." in page


@pytest.mark.slow
def test_of_what_nothing_is_known_a_sentence_says_why(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": []})
    with Reader(tmp_path) as reader:
        ((licences,),) = (section.pictures for section in read(reader, sections=("licences",)).sections)
    assert "Nothing to show" in licences.sentence
    assert "never synced" in licences.sentence


@pytest.mark.slow
def test_without_the_extra_that_draws_tables_are_open_and_it_says_so(report: Report) -> None:
    page = html(report, drawn=False)
    found = Page(page)
    assert found.all("svg") == []
    assert all("open" in details for details in found.all("details"))
    assert "kandji-mirror[charts]" in page


@pytest.mark.slow
def test_sections_are_chosen(reader: Reader) -> None:
    assert [section.name for section in read(reader, sections=["Licences", "fleet"]).sections] == ["fleet", "licences"]
    with pytest.raises(UnknownName, match="licences"):
        read(reader, sections=["licenses"])


@pytest.mark.heavy
def test_a_blueprint_narrows_what_is_counted_and_says_what_it_cannot(reader: Reader) -> None:
    report = read(reader, blueprint="sales", sections=["fleet", "posture", "vulnerabilities"])
    fleet, *_, vulnerabilities = report.sections
    assert report.blueprint == "Sales"
    assert fleet.pictures[0].picture
    assert [row[:2] for row in fleet.pictures[0].picture.rows] == [("iPhone", 1)]
    assert vulnerabilities.pictures[0].notes[0] == "Of the whole tenant, whatever the blueprint: vulnerabilities."
    told = {figure.title: (figure.n, figure.everywhere) for figure in report.figures}
    assert (told["Devices"], told["Critical vulnerabilities"]) == ((1, False), (1, True))
    with pytest.raises(UnknownName, match="Sales"):
        read(reader, blueprint="Salse")


@pytest.mark.heavy
def test_two_moments_are_compared(reader: Reader) -> None:
    report = read(reader, since="12h", sections=["licences"])
    page = html(report)
    assert report.since is not None
    assert "FileVault on" in page
    assert "+40.0 points" in page
    assert "History of prism_application_firewall begins on" in page
    with pytest.raises(UsageError, match="future"):
        read(reader, since="2999-01-01")


@pytest.mark.heavy
def test_how_far_pictures_of_the_past_look_back_follows_the_moment(reader: Reader) -> None:
    report = read(reader, since="9d", sections=["posture"])
    looking = [
        told.picture.params["days"]
        for told in report.sections[0].pictures
        if told.picture and told.picture.params.get("days")
    ]
    assert set(looking) == {9}


@pytest.fixture(scope="module")
def nameless(reader: Reader) -> Report:
    return read(reader, anonymous=True, since="12h")


@pytest.mark.heavy
def test_an_anonymous_report_names_neither_people_nor_devices(nameless: Report) -> None:
    page = html(nameless, drawn=False)
    people = [name for user in USERS for name in (user["name"], user["email"]) if name]
    for name in (*people, ROBERT, FOX, "Jane", "@example.org"):
        assert not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", unescape(page), re.I), name
    assert "Names of people and devices are left out" in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Apps of ann lee, and more", f"Apps of {GONE}, and more"),
        ("ann leet", "ann leet"),
        ("ada@example.org's", f"{GONE}'s"),
        ("\U0001f98a FOX", GONE),
        ("MacBook Air", "MacBook Air"),
        ("ANN LEE \u0130", GONE),
        ("Admin", "Admin"),
        ("7 devices", "7 devices"),
        ("", ""),
    ],
)
def test_names_are_found_in_texts_and_words_are_not(text: str, told: str) -> None:
    known = ("Ann Lee", "ada@example.org", "\U0001f98a fox", "MacBook Air", "admin", "7")
    assert Nameless(known, ["macbook air"]).text(text) == told


@pytest.mark.heavy
def test_what_pictures_are_drawn_of_names_nobody(nameless: Report) -> None:
    for section in nameless.sections:
        for told in section.pictures:
            assert told.picture
            hint = told.picture.chart.hint if told.picture.chart else None
            assert set(told.hidden).isdisjoint(hint.columns if hint else ()), told.hidden


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One device with a name, blueprint and model that are markup, and more models than are shown."""
    home = tmp_path_factory.mktemp("hostile")
    odd = device(1, device_name=HOSTILE, blueprint_name=HOSTILE, model=HOSTILE, platform=HOSTILE, os_version=HOSTILE)
    publish(home, {"devices": [odd, *(device(n, os_version=f"15.{n}") for n in range(2, ROWS + 10))]})
    return home


@pytest.mark.heavy
def test_names_that_are_markup_are_texts_and_long_answers_say_that_they_are_cut(hostile: Path) -> None:
    with Reader(hostile) as reader:
        page = html(read(reader, sections=["fleet", "systems"]))
    found = Page(page)
    assert found.all("script") == []
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page
    assert re.search(r"\d+ rows more\.", page)


@pytest.mark.heavy
def test_a_fleet_of_none_has_a_report(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": []})
    with Reader(tmp_path) as reader:
        report = read(reader, since="7d", sections=["fleet", "posture", "vulnerabilities"])
    assert [figure.n for figure in report.figures] == [0, 0, 0, 0, 0, None, None, None]
    assert "Nothing to show" in html(report)


@pytest.mark.slow
def test_of_a_fleet_of_none_a_comparison_says_that_there_is_nothing_to_compare(tmp_path: Path) -> None:
    past = PastHome(tmp_path)
    past.add(hours(0), devices=[])
    past.add(hours(5), devices=[])
    with Reader(tmp_path) as reader:
        page = html(read(reader, since="1d", sections=["licences"]))
    systems = page.partition("<h3>Operating systems</h3>")[2].partition("</div>")[0]
    assert "nothing to compare" in systems


@pytest.mark.slow
def test_what_is_required_of_tables_is_required_of_those_of_the_report(home: Path) -> None:
    from kandji_queries.results.data_notes import Requirements

    with Reader(home, requirements=Requirements(max_age=timedelta(seconds=1))) as reader, pytest.raises(NotFresh):
        read(reader, sections=["fleet"])


@pytest.mark.heavy
def test_a_report_is_of_one_state_though_a_sync_publishes_while_it_is_read(tmp_path: Path) -> None:
    past, asked = PastHome(tmp_path), count()
    past.add(hours(0), devices=[device(1)])

    def clock() -> datetime:
        if next(asked) == 8:
            past.add(hours(1), devices=[device(1), device(2)])
        return hours(2)

    with Reader(tmp_path, clock=clock) as reader:
        report = read(reader, sections=["fleet"])
    assert next(asked) > 16
    assert report.figures[0].n == 2
    moments = {told.picture.as_of["devices"] for told in report.sections[0].pictures if told.picture}
    assert moments == {f"{hours(1):%Y-%m-%dT%H:%M:%SZ}"}


@pytest.mark.slow
def test_the_record_has_the_hash_of_the_file_and_the_statement_of_every_picture(
    report: Report, page: str, tmp_path: Path
) -> None:
    written = write_report(report, page, tmp_path / "new" / "fleet.html", b"%PDF")
    record = json.loads(written.record.read_text())
    assert [file["sha256"] for file in record["files"]] == [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in written.files
    ]
    assert [path.name for path in written.files] == ["fleet.html", "fleet.pdf"]
    pictures = [told for section in report.sections for told in section.pictures]
    assert [picture["sql"] for picture in record["pictures"]] == [told.picture.sql for told in pictures if told.picture]
    assert record["as_of"]["devices"] == f"{READ:%Y-%m-%dT%H:%M:%SZ}"
    assert {path.stat().st_mode & 0o777 for path in (*written.files, written.record)} == {0o600}


@pytest.mark.slow
def test_a_report_replaces_a_report_and_nothing_else(report: Report, page: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet.html"
    write_report(report, page, checked(str(path), tmp_path))
    assert checked(str(path), tmp_path) == path
    record_path(path).unlink()
    with pytest.raises(UsageError, match="no report of ours"):
        checked(str(path), tmp_path)
    assert checked(str(path), tmp_path, force=True) == path
    (tmp_path / "other.pdf").write_text("mine")
    with pytest.raises(UsageError, match=r"other\.pdf"):
        checked(str(tmp_path / "other.html"), tmp_path, pdf=True)


@pytest.mark.parametrize(
    "to", ["", " ", "s3://bucket/x.html", ".", "fleet.pdf", "store/x.html", "x\0.html", "a" * 5_000]
)
def test_what_is_no_place_for_a_report_is_refused_with_what_is(to: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--to"):
        checked(to, tmp_path)
