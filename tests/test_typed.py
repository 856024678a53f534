"""Statements while they are typed: where one ends, and what may come next."""

import time

import pytest

from kandji_queries.typed.completion import Names, candidates
from kandji_queries.typed.statements import first, pieces

NAMES = Names(
    columns={
        "device_notes": {"note_id": "VARCHAR"},
        "devices": {"device_id": "VARCHAR", "platform": "VARCHAR"},
        "apps": {"device_id": "VARCHAR", "name": "VARCHAR"},
    },
    functions={"devices_as_of": "devices"},
    calls=["version_key", "upper"],
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" ;; \n;", []),
        ("-- only ;\n/* a; b */", []),
        ("select 1", [("select 1", False)]),
        ("select ';'; select \"a;b\" ;", [("select ';'", True), ('select "a;b"', True)]),
        ("select 'it''s;'; -- done;", [("select 'it''s;'", True)]),
        ("select $$;$$; select $x$;$$;$x$;", [("select $$;$$", True), ("select $x$;$$;$x$", True)]),
        ("select $1 / 2 - 3; x", [("select $1 / 2 - 3", True), ("x", False)]),
        ("select 'open; ", [("select 'open;", False)]),
        ("/* open ; select 1;", [("/* open ; select 1;", False)]),
        ("select '日本;', '🖥';", [("select '日本;', '🖥'", True)]),
    ],
)
def test_a_statement_ends_at_a_semicolon_of_its_own(text: str, found: list[tuple[str, bool]]) -> None:
    assert [*pieces(text)] == found


def test_what_follows_a_statement_is_left() -> None:
    assert first("a; .chart\nb") == ("a", " .chart\nb", True)


def test_a_long_text_is_looked_through_at_once() -> None:
    began = time.process_time()
    for text in (
        "'" * 100_001,
        "select 1;" * 10_000,
        "/*" * 50_000,
        "a" * 100_000,
        "$" * 20_000,
        f"{'a' * 100_000}')",
        f"{'a' * 19_000}')",
    ):
        assert [*pieces(text)]
        candidates(text, "", NAMES)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("before", "after", "letters", "likeliest"),
    [
        ("select d.", " from devices d", 0, ["device_id", "platform"]),
        ("select D.pl", " from devices as d", 2, ["platform"]),
        ("select pl", " from devices", 2, ["platform"]),
        ("select * from dev", "", 3, ["devices", "device_notes", "devices_as_of("]),
        ("select * from devices d join apps a on a.", "", 0, ["device_id", "name"]),
        ("from devices_as_of('2026-11-01') where pl", "", 2, ["platform"]),
        ("select upp", "", 3, ["upper("]),
        ("sel", "", 3, ["SELECT"]),
        ("select 'de", " from devices", 0, []),
        ("select 1 -- de", "", 0, []),
        ("select nothing.", " from devices", 0, []),
        ("select '🖥', \"de", "", 2, ["DESC", "DESCRIBE", "devices", "device_notes", "devices_as_of("]),
    ],
)
def test_what_may_come_next(before: str, after: str, letters: int, likeliest: list[str]) -> None:
    replaced, found = candidates(before, after, NAMES)
    assert (replaced, [one.word for one in found]) == (letters, likeliest)
