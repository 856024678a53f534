"""Charts of answers: what a header may say, what is drawn of rows of every kind, and that it can be read."""

import json
import math
import re
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any, get_args
from xml.etree import ElementTree

import pytest

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import DARK, LIGHT, Palette, contrast, css
from kandji_queries.charts.drawing import Form, available, draw
from kandji_queries.charts.hint import read_hint
from kandji_queries.charts.inline import inline_svg
from kandji_queries.charts.meanings import meaning_of
from kandji_queries.charts.plot import Category
from kandji_queries.charts.sentence import sentence
from kandji_queries.charts.shaping import plot_of
from kandji_queries.charts.specification import specification
from kandji_queries.charts.text_chart import text_chart
from kandji_queries.results.text_table import width
from kandji_schema.errors import ConfigurationError

DAY = date(2026, 11, 1)
HOSTILE = (
    "<script>alert(1)</script>",
    "'\"]}&lt;${x}`",
    "\u202egnirts\u2066",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "x" * 300,
    "O\u2019Brien \U0001f4bb \u65e5\u672c\u8a9e",
    "a\nb\tc\\",
    "\x1b[31mred",
)


def chart(hint: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> Chart:
    return Chart("Title", "It says so.", read_hint(hint), tuple(columns.split()), rows, "As of 2026-11-30 07:12 UTC.")


def bars(rows: Sequence[tuple[Any, ...]], more: str = "unit=devices") -> Chart:
    return chart(f"bar x=name y=n {more}", "name n", rows)


def drawn(what: Chart) -> dict[str, Category]:
    return {category.label: category for panel in plot_of(what).panels for category in panel.categories}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "a chart is bar, stacked, line, heat, not ''"),
        ("pie x=a y=b", "not 'pie'"),
        ("bar x=a", "y= is missing"),
        ("bar y=a", "x= is missing"),
        ("bar x=a y=b,c", "one y=; stacked has several"),
        ("bar x=a y=b z=c", "'z=c' is none of"),
        ("bar x=a y=b y=c", "y= is there twice"),
        ("stacked x=a y=b,b", "names a column twice"),
        ("stacked x=a y=" + ",".join("abcdefghi"), "8 at most"),
        ("bar x=a;drop y=b", "no name of a column"),
        ("bar x=a y=b top=0", "top=0 is no number from 1 to 50"),
        ("bar x=a y=b order=up", "none of rows, value"),
        ("bar x=a y=b unit=50%", "is no word"),
        ("bar x=a y=b value=c", "value= is of heat maps"),
        ("heat x=a y=b", "value= for the colour"),
        ("line x=a y=b,c by=d", "one y="),
        ("line x=a y=b order=value", "they go by time"),
    ],
)
def test_a_hint_that_is_none_is_refused_with_the_rule(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)):
        read_hint(text)


def test_a_hint_is_what_it_says() -> None:
    hint = read_hint("stacked x=rule y=passed,failed by=platform unit=devices top=5 order=value")
    assert (hint.kind, hint.y, hint.by) == ("stacked", ("passed", "failed"), "platform")
    assert (hint.unit, hint.top, hint.order) == ("devices", 5, "value")
    assert hint.columns == ("rule", "passed", "failed", "platform")
    assert hint.missing(["rule", "failed"]) == ("passed", "platform")


ROWS = [("Mac", 1200, 3, DAY), ("iPad", 1, Decimal("0.5"), None), (None, None, 0, DAY)]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{count} rows, {count|row|rows}", "3 rows, 3 rows"),
        ("{sum n|device|devices} of {$kind}", "1,201 devices of any"),
        ("{first name} to {last name} on {first day}", "Mac to unknown on 2026-11-01"),
        ("{min n|one|more} to {max n}", "1 one to 1,200"),
        ("most {top name by n}, {share n of n} {share p of n}", "most Mac, 100 % 0.3 %"),
        ("{sum nothing}", "unknown"),
    ],
)
def test_a_sentence_is_filled_from_the_rows(template: str, said: str) -> None:
    rows = [(*row, None) for row in ROWS]
    assert sentence(template, ["name", "n", "p", "day", "nothing"], rows, {"kind": "any"}) == said


@pytest.mark.parametrize("template", ["{sum x}", "{$x}", "{n}", "{sum n|a}", "{sum n", "{top name}", "{share n of x}"])
def test_a_sentence_that_cannot_be_filled_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"no field|names the|no other half"):
        sentence(template, ["name", "n"], [("Mac", 1)], {})


def test_without_rows_the_sentence_says_why() -> None:
    notes = ["devices has never been synced.", "apps: 3 h old, due after 5 min.", "Counts are among 9 listed devices."]
    assert sentence("{sum n} devices", ["n"], [], {}, notes[1:]) == "Nothing to show: the answer has no rows."
    said = sentence("{sum n} devices", ["n"], [], {}, notes)
    assert said == "Nothing to show: devices has never been synced."


def test_of_many_categories_the_largest_are_drawn_and_the_rest_is_added_up() -> None:
    rows = [(f"app {n}", n) for n in range(5_000)]
    found = drawn(bars(rows))
    assert len(found) == 21
    assert next(iter(found)) == "app 4980", "in the order of the rows"
    assert sum(category.total for category in found.values()) == sum(range(5_000))
    assert found["4,980 others"].sort == "others"
    assert "not to scale" in text_chart(bars(rows))
    assert len(str(specification(bars(rows)))) < 20_000
    by_value = list(drawn(bars(rows, "top=3 order=value")))
    assert by_value == ["app 4999", "app 4998", "app 4997", "4,997 others"]


def test_what_makes_no_sum_is_told_as_a_range() -> None:
    found = drawn(bars([(f"b{n}", n * 2.5) for n in range(30)], "unit=percent top=5"))
    assert (found["25 others"].values, found["25 others"].note) == ((None,), "12.5 % to 72.5 %")


def test_unknown_is_drawn_whatever_it_is_called_and_never_left_out() -> None:
    rows = [(f"a{n}", 100 - n) for n in range(60)] + [(None, 1), ("Unknown", 2), ("", 3), ("not known", None)]
    found = drawn(bars(rows, "top=3 order=value"))
    assert (found["unknown"].total, found["unknown"].colour) == (6, "unknown")
    assert list(found)[-1] == "unknown"
    lacking = drawn(bars([("a", None), ("b", float("nan")), ("c", "text")], ""))
    assert {category.values for category in lacking.values()} == {(None,)}
    assert text_chart(bars([("a", None), ("b", 1)])).count("unknown") == 1


@pytest.mark.parametrize("value", [0, 1, -5, True, Decimal("99.95"), 10**30, 1e-9, 2**62, None])
@pytest.mark.parametrize("kind", ["bar", "stacked", "line", "heat"])
def test_every_number_is_drawn(kind: str, value: Any) -> None:
    hints = {"heat": "heat x=a y=b value=n", "stacked": "stacked x=a y=n,m"}
    what = chart(hints.get(kind, f"{kind} x=a y=n"), "a b n m", [("x", "y", value, value)])
    low, high = plot_of(what).limits
    assert low <= 0 <= high
    assert low < high
    assert text_chart(what).startswith("Title\nIt says so.\n")
    assert specification(what)["description"] == "It says so."


def test_days_without_a_value_are_a_gap_and_one_day_is_a_point() -> None:
    days = [(DAY + timedelta(n), 50.0 + n) for n in range(20) if n not in {5, 6}] + [(DAY + timedelta(30), None)]
    what = chart("line x=day y=percent_on unit=percent", "day percent_on", days)
    (panel,) = plot_of(what).panels
    gaps = [place for place, category in enumerate(panel.categories) if category.sort == "gap"]
    assert (gaps[0], plot_of(what).limits) == (5, (0.0, 100.0))
    rows = specification(what)["data"]["values"]
    assert [row["v"] for row in rows[4:7]] == [54.0, None, 57.0]
    text = text_chart(what).splitlines()
    assert "2026-11-01" in text[-1]
    assert re.search("█ +█", text[9]), "nothing is drawn across"
    alone = specification(chart("line x=day y=n", "day n", [("2026-11-30T07:00:00Z", 5)]))["data"]["values"]
    assert (len(alone), alone[0]["dot"], alone[0]["x"]) == (1, True, "2026-11-30T07:00:00Z")


def test_lines_that_cannot_be_told_apart_are_added_up() -> None:
    rows = [(DAY + timedelta(n), f"macOS {v}", v + n) for n in range(3) for v in range(30)] + [(DAY, None, 1)]
    plot = plot_of(chart("line x=day y=n by=os", "day os n", rows))
    assert [series.label for series in plot.series][-2:] == ["unknown", "26 others"]
    assert len(plot.series) == 6
    assert sum(plot.panels[0].categories[0].values) == sum(range(30)) + 1  # type: ignore[arg-type]


def test_parts_of_small_charts_have_their_own_scale_and_those_that_are_many_are_one() -> None:
    rows = [(f"p{p}", "r", p, 0, None) for p in range(12)]
    plot = plot_of(chart("stacked x=rule y=passed,failed,unknown by=p", "p rule passed failed unknown", rows))
    assert [panel.label for panel in plot.panels][-1] == "5 others"
    assert [series.colour for series in plot.series] == ["good", "bad", "unknown"]
    assert sum(panel.categories[0].total for panel in plot.panels) == sum(range(12))
    assert plot.limits_in(plot.panels[0]) != plot.limits


@pytest.mark.parametrize("hint", ["bar x=a y=n by=b", "stacked x=a y=n,m", "line x=a y=n by=b", "heat x=a y=b value=n"])
def test_nothing_that_a_cell_may_hold_breaks_a_picture(hint: str) -> None:
    odd: tuple[Any, ...] = (None, [1], {"a": 1}, b"x", timedelta(1), True, 10**400, -1e300, float("inf"), "\x00", DAY)
    for rows in ([], [(None, None, None, None)], [(a, b, a, b) for a in odd for b in odd]):
        what = chart(hint, "a b n m", rows)
        assert len(text_chart(what)) < 10_000
        assert json.dumps(specification(what))


def test_a_column_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="names the column 'm', which the answer has not: name, n"):
        plot_of(chart("bar x=name y=m", "name n", []))


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("room", [40, 80])
def test_text_fits_its_width_whatever_things_are_called(plain: bool, room: int) -> None:
    numbers = [(name, n * 7 + 1, n, DAY + timedelta(n)) for n, name in enumerate(HOSTILE)]
    for hint in (
        "bar x=name y=n",
        "stacked x=name y=n,m",
        "line x=day y=n",
        "line x=day y=n by=name",
        "heat x=name y=day value=n",
        "bar x=name y=n by=name",
    ):
        text = text_chart(chart(hint, "name n m day", numbers), room, plain=plain)
        assert max(map(width, text.splitlines())) <= room, hint
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e\u2066]", text), hint
        assert not plain or text.isascii(), hint
    assert "\x1b[" in text_chart(bars([("a", 1)]), colour=True)


def test_names_that_begin_alike_are_told_apart_and_others_are_whole_in_the_data() -> None:
    rows = [(f"{'Very long name ' * 5}{n}", n + 1) for n in range(3)]
    text = text_chart(bars(rows))
    assert [bool(re.search(f"…[^…]* ?{n}  ", text)) for n in range(3)] == [True] * 3
    assert [row["name"] for row in specification(bars(rows))["data"]["values"]] == [name for name, _ in rows]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_seen_on_their_ground_and_told_apart(palette: Palette) -> None:
    raised = "#f6f8fa" if palette is LIGHT else "#1a222b"
    for ground in (palette.ground, raised):
        assert min(contrast(colour, ground) for colour in palette.marks.values()) >= 3
        assert min(contrast(colour, ground) for colour in (palette.ink, palette.soft)) >= 4.5
    assert min(contrast(palette.on(mark), colour) for mark, colour in palette.marks.items()) >= 4.5
    for one, other in (("good", "bad"), ("good", "unknown"), ("bad", "warn"), ("bad", "unknown")):
        assert min(_apart(palette.marks[one], palette.marks[other], kind) for kind in BLIND) > 12, (one, other)
    assert "prefers-color-scheme: dark" in css()


BLIND = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}
"""What a colour is to people without red or green cones (Machado 2009), in linear RGB."""


def _apart(one: str, other: str, kind: str) -> float:
    """Return the distance of two colours in CIELAB as such people see them; 2 is just to be seen."""
    return math.dist(_lab(one, kind), _lab(other, kind))


def _cube_root(part: float) -> float:
    return math.pow(part, 1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116


def _lab(colour: str, kind: str) -> tuple[float, float, float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else math.pow((p + 0.055) / 1.055, 2.4) for p in parts]
    r, g, b = (min(1.0, max(0.0, sum(m * v for m, v in zip(row, linear, strict=True)))) for row in BLIND[kind])
    x, y, z = (
        _cube_root((red * r + green * g + blue * b) / (red + green + blue))
        for red, green, blue in ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("passed", "good"),
        ("filevault_on", "good"),
        ("filevault_off", "bad"),
        ("not_compliant", "bad"),
        ("Critical", "bad"),
        ("pending", "warn"),
        ("exploited_unknown", "unknown"),
        ("not known", "unknown"),
        ("Notion", None),
        ("On the road", None),
        ("Error Reporter Helper App", None),
    ],
)
def test_a_word_has_one_meaning_in_all_charts(word: str, meaning: str | None) -> None:
    assert meaning_of(word) == meaning


@pytest.mark.parametrize(("column", "colours"), [("status", ["bad", "good"]), ("table_name", [None, None])])
def test_only_what_judges_has_the_colour_of_a_verdict(column: str, colours: list[str | None]) -> None:
    words = [("off", 1), ("installed", 2)]
    assert [one.colour for one in drawn(chart(f"bar x={column} y=n", f"{column} n", words)).values()] == colours
    lines = plot_of(chart(f"line x=day y=n by={column}", f"day {column} n", [(DAY, *row) for row in words]))
    assert [one.colour for one in lines.series] == [colour or str(n + 1) for n, colour in enumerate(colours)]


NARROW = 380
"""Pixels of a card of a page."""


def test_names_are_whole_in_a_narrow_picture_and_its_letters_of_one_size() -> None:
    rules = ["no_personal_activation_lock", *(f"rule_number_{n}" for n in range(10))]
    cells = [(rule, f"Design & Marketing {n}", 99.9) for rule in rules for n in range(3)]
    heat = specification(chart("heat x=rule y=b value=p unit=percent", "rule b p", cells), width=NARROW, theme="page")
    assert heat["width"]["step"] * len(rules) + 140 < NARROW * 1.2, "not made much smaller for a card"
    assert heat["layer"][1]["mark"]["fontSize"] == 12
    assert {row["short"] for row in heat["data"]["values"]} == {"99"}, "not yet 100"
    assert rules[0] in heat["encoding"]["x"]["axis"]["labelExpr"]
    hint = "stacked x=rule y=newest,second_newest,third_newest,older,unknown"
    parts = chart(hint, "rule newest second_newest third_newest older unknown", [(rules[0], 1, 2, 3, 4, 5)])
    stacked = specification(parts, width=NARROW, theme="page")
    assert rules[0] in stacked["encoding"]["y"]["axis"]["labelExpr"]
    assert stacked["layer"][0]["encoding"]["color"]["legend"]["columns"] == 4


@pytest.mark.heavy
def test_a_picture_of_a_page_has_nothing_that_a_page_forbids_and_the_numbers_of_the_rows() -> None:
    rows = [(name, n * 1_111 + 5) for n, name in enumerate(HOSTILE)]
    for what in (bars(rows), chart("heat x=day y=name value=n", "name n day", [(*row, DAY) for row in rows]), bars([])):
        svg = inline_svg(what)
        tree = ElementTree.fromstring(svg)  # noqa: S314  # our own
        assert {name for part in tree.iter() for name in part.attrib} & {"style", "id", "href", "onload"} == set()
        assert {part.tag.rpartition("}")[2] for part in tree.iter()} <= {"svg", "g", "path", "text", "rect", "line"}
        assert (tree.get("role"), tree.get("aria-label")) == ("img", "It says so.")
        above = -float(tree.attrib["viewBox"].split()[1])
        assert (above > 0) is (what.hint.kind == "heat"), "room for names aslant in wider letters"
        assert not re.search("#[0-9a-f]{6}|url\\(|<script|font-family", svg)
        texts = {unescape(text) for text in tree.itertext()}
        assert {f"{row[1]:,}" for row in what.rows} <= texts


def test_without_the_extra_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)  # as Python has it where an import is known to fail
    assert not available()
    with pytest.raises(ConfigurationError, match=r"pip install 'kandji-mirror\[charts\]'"):
        inline_svg(bars([("Mac", 1)]))


@pytest.mark.heavy
def test_each_form_is_what_its_name_says_and_carries_title_sentence_and_date() -> None:
    made = {form: draw(specification(bars([("Mac", 3)])), form) for form in get_args(Form)}
    assert [made[form][:4] for form in ("png", "pdf")] == [b"\x89PNG", b"%PDF"]
    texts = set(ElementTree.fromstring(made["svg"]).itertext())  # noqa: S314  # our own
    assert {"Title", "It says so.", "As of 2026-11-30 07:12 UTC.", "Mac", "3"} <= texts
