"""Rows of sections: members at any depth, whole sections, and what is left of them."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlmodel import SQLModel

from kandji_mirror.ingest.staging import Staging
from kandji_schema.columns import boolean, document, extra, integer, number, text, texts, timestamp
from kandji_schema.resource import Paging, Resource


class Sectioned(SQLModel, table=True):
    """Rows whose fields are objects."""

    __tablename__ = "test_sectioned"

    id: str | None = text("Key.", source="general.id", key=True)
    supervised: bool | None = boolean("A flag spelt as a word.", source="mdm.supervised")
    installed: datetime | None = timestamp("A moment below a field.", source="mdm.install_date")
    accounts: list[str] | None = texts("A list below a field.", source="mdm.accounts")
    plan_macs: int | None = integer("Three steps down.", source="limits.per_platform.macos")
    plan_name: str | None = text("Beside it.", source=("limits.plan", "limits.plan_name"))
    owner: Any = document("A document below a field.", source="limits.owner")
    owner_mail: str | None = text("Within that document.", source="limits.owner.mail")
    network: Any = document("A whole section.")
    public_ip: str | None = text("One member of it.", source="network.public_ip")
    latitude: float | None = number("Deep within it.", source="network.place.latitude")
    volumes: Any = document("A list of objects.")
    odd_name: str | None = text("A name that is no identifier.", source="odd.some name-x")
    size: str | None = text("What was sent.", source="size")
    size_bytes: int | None = integer("The same as a number.", source="size")
    extra: Any = extra()


SECTIONED = Resource(
    model=Sectioned, path="/api/v1/sectioned", paging=Paging.ARRAY, ttl=timedelta(hours=1), permission="-"
)
COLUMNS = tuple(c.name for c in SECTIONED.columns)


def stored(folder: Path, row: dict[str, Any]) -> dict[str, Any]:
    """What is not NULL in the table of this one row."""
    with Staging(SECTIONED, folder / "scratch.tmp") as staging:
        staging.add(json.dumps({"data": [row]}))
        staging.write(folder / "next.tmp")
    with duckdb.connect(folder / "next.tmp", read_only=True) as con:
        (values,) = con.execute("SELECT * FROM test_sectioned").fetchall()
    found = dict(zip(COLUMNS, values, strict=True))
    documents = {"owner", "network", "volumes", "extra"}
    return {k: json.loads(v) if k in documents else v for k, v in found.items() if v is not None}


def test_members_are_read_at_any_depth(tmp_path: Path) -> None:
    row = {
        "general": {"id": "1"},
        "mdm": {"supervised": "True", "install_date": "2022-08-15 13:51:01 +0000", "accounts": ["a", "b"]},
        "limits": {"plan_name": "p", "per_platform": {"macos": 5}},
        "odd": {"some name-x": "y"},
    }
    assert stored(tmp_path, row) == {
        "id": "1",
        "supervised": True,
        "installed": datetime(2022, 8, 15, 13, 51, 1),
        "accounts": ["a", "b"],
        "plan_macs": 5,
        "plan_name": "p",
        "odd_name": "y",
    }


def test_a_section_with_a_column_of_its_own_is_held_whole_and_leaves_nothing(tmp_path: Path) -> None:
    section = {"public_ip": "1.2.3.4", "new": [1, None], "place": {"latitude": "52.5", "more": True}}
    assert stored(tmp_path, {"network": section}) == {"network": section, "public_ip": "1.2.3.4", "latitude": 52.5}


def test_a_member_held_as_a_document_leaves_nothing_of_it(tmp_path: Path) -> None:
    owner = {"mail": "a@example.com", "name": "A", "note": None}
    assert stored(tmp_path, {"limits": {"owner": owner}}) == {"owner": owner, "owner_mail": "a@example.com"}


def test_unknown_members_are_kept_at_the_place_they_had(tmp_path: Path) -> None:
    row = {
        "limits": {"plan": "p", "new": 1, "per_platform": {"macos": 5, "watchos": 7}},
        "mdm": {"other": {"x": [None]}},
    }
    assert stored(tmp_path, row) == {
        "plan_macs": 5,
        "plan_name": "p",
        "extra": {"limits": {"new": 1, "per_platform": {"watchos": 7}}, "mdm": {"other": {"x": [None]}}},
    }


def test_members_that_do_not_fit_are_kept_with_the_others_of_their_object(tmp_path: Path) -> None:
    row = {
        "mdm": {"supervised": "perhaps", "install_date": "1 month ago", "accounts": "none"},
        "limits": {"per_platform": {"macos": "many"}},
    }
    assert stored(tmp_path, row) == {"extra": row}


@pytest.mark.parametrize("empty", [None, "", {}, []])
def test_an_empty_section_is_nothing(tmp_path: Path, empty: object) -> None:
    assert stored(tmp_path, {"general": {"id": "1"}, "mdm": empty, "limits": empty}) == {"id": "1"}


@pytest.mark.parametrize("nothing", [None, ""])
def test_empty_members_leave_nothing(tmp_path: Path, nothing: str | None) -> None:
    members = {"supervised": nothing, "install_date": nothing, "accounts": nothing, "new": None}
    platforms = {"per_platform": {"macos": nothing}, "plan": nothing}
    assert stored(tmp_path, {"general": {"id": "1"}, "mdm": members, "limits": platforms}) == {"id": "1"}


@pytest.mark.parametrize("odd", ["text", 5, True, [1]])
def test_a_section_that_is_no_object_is_kept_as_sent(tmp_path: Path, odd: object) -> None:
    assert stored(tmp_path, {"mdm": odd, "limits": {"per_platform": odd}}) == {
        "extra": {"mdm": odd, "limits": {"per_platform": odd}}
    }


def test_an_empty_document_is_kept_as_sent(tmp_path: Path) -> None:
    assert stored(tmp_path, {"network": {}, "volumes": []}) == {"network": {}, "volumes": []}


def test_a_text_column_beside_a_number_column_of_the_same_field_holds_what_does_not_fit(tmp_path: Path) -> None:
    assert stored(tmp_path, {"size": "233.47 GB"}) == {"size": "233.47 GB"}


def test_a_null_within_what_is_kept_stays(tmp_path: Path) -> None:
    row = {"general": {"id": "1"}, "extra": {"new": {"a": None}}, "mdm": {"supervised": [None]}}
    assert stored(tmp_path, row) == {"id": "1", "extra": {"new": {"a": None}, "mdm": {"supervised": [None]}}}


@pytest.mark.parametrize("character", ["\0", "\x01", "\x1f", "\x7f", "\u2028", "\ufeff", "\U0010ffff"])
def test_control_and_other_rare_characters_arrive_unchanged_everywhere(tmp_path: Path, character: str) -> None:
    odd = f"a{character}b"
    row = {
        "general": {"id": odd},
        "volumes": [odd],
        "mdm": {"accounts": [odd], "supervised": odd},
        "limits": {odd: odd},
    }
    assert stored(tmp_path, row) == {
        "id": odd,
        "accounts": [odd],
        "volumes": [odd],
        "extra": {"mdm": {"supervised": odd}, "limits": {odd: odd}},
    }


def test_texts_of_two_megabytes_arrive_whole(tmp_path: Path) -> None:
    long = "0123456789" * 200_000
    row = {"general": {"id": "1"}, "size": long, "volumes": [long], "mdm": {"supervised": long}}
    assert stored(tmp_path, row) == {"id": "1", "size": long, "volumes": [long], "extra": {"mdm": {"supervised": long}}}


@pytest.mark.parametrize("moment", ["99999-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"])
def test_a_moment_no_calendar_has_is_kept_as_sent(tmp_path: Path, moment: str) -> None:
    assert stored(tmp_path, {"mdm": {"install_date": moment}}) == {"extra": {"mdm": {"install_date": moment}}}


@pytest.mark.parametrize(
    ("moment", "read"),
    [
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ],
)
def test_the_first_and_the_last_moment_are_read(tmp_path: Path, moment: str, read: datetime) -> None:
    assert stored(tmp_path, {"mdm": {"install_date": moment}}) == {"installed": read}


@pytest.mark.parametrize("beyond", ["1e400", "-1e400", "nan", "inf", "52°"])
def test_what_does_not_fit_is_kept_twice_in_a_section_that_is_held_whole(tmp_path: Path, beyond: str) -> None:
    odd = {"place": {"latitude": beyond}}
    section = {"new": 1, "place": {"more": True, **odd["place"]}}
    assert stored(tmp_path, {"network": section}) == {"network": section, "extra": {"network": odd}}
