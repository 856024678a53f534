"""Views of tables as data: each filter finds what the SQL that it means finds, and an address says all of a view."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from reads_home import NOW, device, publish
from support import synced

from kandji_queries.browse.browsing import browse
from kandji_queries.browse.conditions import OPERATORS, SLOW
from kandji_queries.browse.relation import find_relation
from kandji_queries.browse.statements import count_of
from kandji_queries.browse.view import read_view
from kandji_queries.definitions import views
from kandji_queries.reader import Reader
from kandji_schema.registry import resources

HOSTILE = '<img src=x onerror="alert(1)">'
CLOCK = datetime.now(UTC)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    home = tmp_path_factory.mktemp("browse")
    rows = [device(n, os_version=f"14.{n % 12}", device_name=f"Mac {n}") for n in range(1, 40)]
    rows += [
        device(40, platform=None, os_version=None, tags=None, device_name=HOSTILE),
        device(41, platform="iPad", tags=["lab", "büro"], is_removed=True),
        device(42, platform='it\'s "quoted" & <b>', last_check_in=NOW.replace(year=2024)),
    ]
    details = [{"device_id": f"d{n}", "memory": f"{n} GB", "extra": '{"a": ["Ä"]}'} for n in range(1, 4)]
    publish(home, {"devices": rows, "device_details": details})
    with Reader(home) as found:
        yield found


FILTERS = [
    (("platform", "Mac"), "platform = 'Mac'"),
    (("platform", 'it\'s "quoted" & <b>'), "platform LIKE 'it%'"),
    (("platform__not", "Mac"), "platform IS DISTINCT FROM 'Mac'"),
    (("platform__unknown", "1"), "platform IS NULL"),
    (("platform__known", "1"), "platform IS NOT NULL"),
    (("device_name__contains", "MAC 1"), "device_name ILIKE '%mac 1%'"),
    (("device_name__lacks", "mac 1"), "device_name NOT ILIKE '%mac 1%'"),
    (("os_version__below", "14.9"), "version_below(os_version, '14.9')"),
    (("os_version__from", "14.9"), "NOT version_below(os_version, '14.9')"),
    (("tags", "büro"), "list_contains(tags, 'büro')"),
    (("tags__contains", "BURO"), "list_contains(tags, 'büro')"),
    (("tags__unknown", "1"), "tags IS NULL"),
    (("is_removed", "yes"), "is_removed"),
    (("is_removed__not", "on"), "NOT is_removed"),
    (("last_check_in__gt", "24h"), "last_check_in > now()::TIMESTAMP - INTERVAL 24 HOUR"),
    (("last_check_in__le", "2025-01-01"), "last_check_in < '2025-01-02'"),
    (("last_check_in__lt", "2025-01-01"), "last_check_in < '2025-01-01'"),
    (("first_enrollment__between", "2020-01-01..today"), "true"),
    (("first_enrollment", "2020-01-01"), "false"),
    (("device_name", HOSTILE), "device_name LIKE '<img%'"),
    (("device_name__contains", "' OR 1=1 --"), "false"),
    (("extra__unknown", "1"), "true"),
]


@pytest.mark.parametrize(("pair", "where"), FILTERS, ids=lambda one: str(one)[:40])
def test_a_filter_finds_what_the_sql_that_it_means_finds(reader: Reader, pair: tuple[str, str], where: str) -> None:
    view, problems = read_view(find_relation(reader, "devices"), [pair], CLOCK)
    assert (problems, view.pairs()) == ([], [pair])
    asked = count_of(view, CLOCK)
    wanted = reader.run(f"SELECT count(*) FROM devices WHERE {where}").rows
    assert reader.run(asked.sql, asked.params).rows == wanted
    assert reader.run(asked.text).rows == wanted
    if pair[0].partition("__")[2] in SLOW:
        assert [(browse(reader, view, CLOCK).total,)] == wanted


def test_numbers_and_documents_are_filtered_too(reader: Reader) -> None:
    relation = find_relation(reader, "device_details")
    for pair, found in (
        (("memory_bytes__gt", "1.5e9"), 2),
        (("memory_bytes__between", "1..2000000000"), 1),
        (("memory_bytes__ge", "-1"), 3),
        (("extra__contains", "ä"), 3),
        (("extra__lacks", "ä"), 0),
    ):
        view, problems = read_view(relation, [pair], CLOCK)
        assert (browse(reader, view, CLOCK).total, problems) == (found, []), pair


def test_a_view_of_a_large_fleet_counts_beside_its_rows(reader: Reader) -> None:
    relation = replace(find_relation(reader, "fleet"), devices=10_000)
    view, _ = read_view(relation, [("platform__known", "1")], CLOCK)
    found = browse(reader, view, CLOCK)
    assert (found.total, found.flagged, found.facets) == (41, {"is_removed": 1, "is_missing": 0}, ())
    small = browse(reader, replace(view, relation=find_relation(reader, "fleet")), CLOCK)
    assert (small.total, small.flagged) == (41, {"is_removed": 1, "is_missing": 0})
    assert [facet.field.name for facet in small.facets][:2] == ["platform", "os_version"]


def test_every_operator_has_words_and_an_address_says_all_of_a_view(reader: Reader) -> None:
    relation = find_relation(reader, "DEVICES")
    pairs = [
        *(("platform", text) for text in ("Mac", "iPad")),
        ("os_version__below", "14.9"),
        ("_as_of", "2026-11-20"),
        ("_sort", "-model"),
        ("_columns", "serial_number,model"),
        ("_size", "100"),
        ("_page", "3"),
        ("_facet", "model"),
        ("_more", "model"),
    ]
    view, problems = read_view(relation, pairs, CLOCK)
    assert [problem.parameter for problem in problems] == ["_as_of"]  # no history is kept here
    assert view.pairs() == [pair for pair in pairs if pair[0] != "_as_of"]
    assert [condition.words for condition in view.conditions] == [
        "platform is Mac or iPad",
        "os_version is a version below 14.9",
    ]
    assert all(operator.words and operator.values for operator in OPERATORS.values())


@pytest.mark.parametrize("sort", ["os_version", "-platform", ""])
def test_far_pages_are_those_that_one_comes_to_from_the_first(reader: Reader, sort: str) -> None:
    relation = find_relation(reader, "devices")
    chosen = [("_size", "1"), ("_columns", "device_id"), ("_sort", sort)]
    whole, _ = read_view(relation, [*chosen[1:], ("_size", "500")], CLOCK)
    every = [row[0].value for row in browse(reader, whole, CLOCK).rows]
    for number in (21, 22, 30, 42):
        view, _ = read_view(relation, [*chosen, ("_page", str(number))], CLOCK)
        assert [row[0].value for row in browse(reader, view, CLOCK).rows] == [every[number - 1]]
    behind, _ = read_view(relation, [*chosen, ("_page", "43")], CLOCK)
    assert (browse(reader, behind, CLOCK).rows, browse(reader, behind, CLOCK).total) == ([], 42)


@pytest.mark.many
@pytest.mark.heavy
def test_every_table_and_view_can_be_browsed_in_an_order_that_is_one(tmp_path: Path) -> None:
    synced(tmp_path, 10)
    with Reader(tmp_path) as reader:
        for name in (*resources(), *views()):
            relation = find_relation(reader, name)
            assert all(field.description for field in relation.fields.values()), name
            view, _ = read_view(relation, [("_columns", "*"), ("_size", "500")], CLOCK)
            assert browse(reader, view, CLOCK).total >= 0
            key = ", ".join(f't."{column}"' for column, _ in relation.key)
            (rows, keys), *_ = reader.run(f"SELECT count(*), count(DISTINCT ({key})) FROM {name} AS t").rows
            assert rows == keys, name
