"""An invented quarter with a known gap, and its evidence worked out by plain loops over what was written each day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from past_home import add_state

from kandji_mirror.store.opening import open_store
from kandji_schema.registry import resources

Row = dict[str, Any]
State = Mapping[str, Sequence[Row]]

FIRST, LAST, TODAY = date(2026, 7, 1), date(2026, 7, 24), date(2026, 7, 28)
NOW = datetime(2026, 7, 28, 15, 0, tzinfo=UTC)

RULES = """
[[rule]]
name = "filevault_on"
title = "FileVault is on"
platforms = ["Mac"]
table = "prism_filevault"
max_age = "3d"
conditions = [{ column = "status", operator = "is_true" }]

[[rule]]
name = "managed"
title = "MDM is enabled"
table = "devices"
conditions = [{ column = "mdm_enabled", operator = "is_true" }]

[[rule]]
name = "seen"
title = "Seen within four days"
table = "devices"
conditions = [{ column = "last_check_in", operator = "within", value = "4d" }]

[[rule]]
name = "tokens"
title = "Every account has a secure token"
table = "prism_local_users"
conditions = [{ column = "secure_token", operator = "is_true" }, { column = "uid", operator = "at_least", value = 500 }]
"""

OWN = """
name = "Ours"
edition = "2026"
[[control]]
id = "O-1"
title = "Disks are encrypted"
measured = "FileVault is on."
rules = ["filevault_on"]
[[control]]
id = "O-2"
title = "Managed and encrypted"
measured = "Both rules."
rules = ["managed", "filevault_on"]
[[control]]
id = "O-3"
title = "In touch"
measured = "Seen in the last days."
rules = ["seen"]
[[control]]
id = "O-4"
title = "Accounts"
measured = "All have a token."
rules = ["tokens"]
"""

CONTROLS = {"O-1": ("filevault_on",), "O-2": ("managed", "filevault_on"), "O-3": ("seen",), "O-4": ("tokens",)}

TABLE_OF = {
    "filevault_on": "prism_filevault",
    "managed": "devices",
    "seen": "devices",
    "tokens": "prism_local_users",
}

EXCEPTIONS = """control,serial_number,reason,approved_by,from,until
O-1,s2,"Lab Mac, wiped weekly",Ada,2026-07-05,2026-07-12
O-1,S3,Kiosk,Ada,2026-06-01,2026-06-30
O-2,S99,Gone,Ada,2026-07-01,2026-12-31
O-9,S1,Wrong,Ada,2026-07-01,2026-12-31
"""
"""One that applies and expires, one that had expired, one of no device, one of no control."""

TABLES = ("devices", "prism_filevault", "prism_local_users")

READ: tuple[tuple[date, int, tuple[str, ...]], ...] = (
    *((date(2026, 7, 2) + timedelta(days=day), 9, TABLES) for day in range(5)),  # the first day is before history
    (date(2026, 7, 7), 0, TABLES),  # at midnight: what changed belongs to the day that ended
    (date(2026, 7, 7), 18, TABLES),
    *((date(2026, 7, 8) + timedelta(days=day), 23, TABLES) for day in range(2)),
    (date(2026, 7, 10), 9, ("devices",)),  # one table alone: a gap of the others
    *((date(2026, 7, 15) + timedelta(days=day), 9, TABLES) for day in range(4)),  # five days nobody looked
    *((date(2026, 7, 21) + timedelta(days=2 * day), 9, TABLES) for day in range(4)),  # beyond the period
)
"""Days and hours of readings, with the tables."""


def invented(seed: int = 7) -> list[tuple[datetime, State]]:
    """What the tenant told at each reading."""
    chance = Random(seed)  # noqa: S311  # the same draws every time
    found: list[tuple[datetime, State]] = []
    facts: dict[int, Row] = {}
    for day, hour, tables in READ:
        at = datetime.combine(day, time(hour), UTC)
        listed = [n for n in range(1, 11) if chance.random() > 0.15]
        for n in range(1, 11):
            known = facts.setdefault(n, {"seen": at, "reported": at, "status": True, "mdm": True, "token": True})
            if chance.random() < 0.6:
                known["seen"] = at - timedelta(hours=chance.randrange(1, 20))
                known["reported"] = at - timedelta(hours=chance.randrange(1, 20))
            if chance.random() < 0.25:
                known["status"] = chance.choice([True, False, None])
            if chance.random() < 0.15:
                known["mdm"] = not known["mdm"]
            if chance.random() < 0.2:
                known["token"] = chance.choice([True, True, False, None])
        state: dict[str, list[Row]] = {
            "devices": [
                {
                    "device_id": f"d{n}",
                    "serial_number": f"S{n}",
                    "device_name": f"=Device {n}",
                    "platform": "iPhone" if n == 10 else "Mac",
                    "mdm_enabled": facts[n]["mdm"],
                    "last_check_in": naive(facts[n]["seen"]),
                    "is_missing": False,
                    "is_removed": False,
                }
                for n in listed
            ],
            "prism_filevault": [
                {"device_id": f"d{n}", "status": facts[n]["status"], "last_collected_at": naive(facts[n]["reported"])}
                for n in listed
                if n not in (9, 10) and chance.random() > 0.1
            ],
            "prism_local_users": [
                {
                    "device_id": f"d{n}",
                    "generated_uid": f"u{n}" if uid == 501 else None,  # without one the number tells accounts apart
                    "uid": uid,
                    "secure_token": facts[n]["token"] if uid == 501 else True,
                }
                for n in listed
                for uid in (501, 502)
                if chance.random() > 0.2
            ],
        }
        found.append((at, {name: state[name] for name in tables}))
    return found


def naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def make_home(folder: Path, states: Sequence[tuple[datetime, State]]) -> Path:
    """A home in which each reading was taken in at its time, with the rules."""
    with open_store(folder, "example", resources(), lambda: NOW) as store:
        for at, state in states:
            add_state(store, at, state)
    (folder / "compliance.toml").write_text(RULES, encoding="utf-8")
    return folder


class Oracle:
    """The truth by plain loops: the state that was written last before a day's end, and nothing else."""

    def __init__(self, states: Sequence[tuple[datetime, State]], key_of: Mapping[str, tuple[str, ...]]) -> None:
        self.states = states
        self.keys = key_of

    def days(self) -> Iterator[date]:
        day = FIRST
        while day <= LAST:
            yield day
            day += timedelta(days=1)

    def is_gap(self, control: str, day: date) -> bool:
        tables = {"devices", *(TABLE_OF[rule] for rule in CONTROLS[control])}
        for table in tables:
            if not any(at.date() == day and table in state for at, state in self.states):
                return True
            begins = min(at for at, state in self.states if table in state)
            if end_of(day) < begins:
                return True
        return False

    def place(self, table: str, day: date) -> int | None:
        places = [n for n, (at, state) in enumerate(self.states) if table in state and at <= end_of(day)]
        return max(places, default=None)

    def rows(self, table: str, day: date) -> list[Row]:
        place = self.place(table, day)
        return [] if place is None else list(self.states[place][1][table])

    def newest(self, table: str, row: Row, column: str, day: date) -> Any:
        """The value that the row had in the last reading before it went, or in the last of all."""
        place, value = self.place(table, day), row[column]
        for at, state in self.states[(place or 0) + 1 :]:
            if table not in state or at > NOW:
                continue
            same = [r for r in state[table] if all(r.get(k) == row.get(k) for k in self.keys[table])]
            if not same:
                break
            value = same[0][column]
        return value

    def verdict(self, rule: str, device: Row, day: date) -> str | None:
        if rule == "filevault_on" and device["platform"] != "Mac":
            return None
        rows = [r for r in self.rows(TABLE_OF[rule], day) if r["device_id"] == device["device_id"]]
        if not rows:
            return "unknown"
        held: list[bool | None] = []
        for row in rows:
            if rule == "filevault_on":
                if end_of(day) - aware(self.newest("prism_filevault", row, "last_collected_at", day)) > timedelta(
                    days=3
                ):
                    return "unknown"
                held.append(row["status"])
            elif rule == "managed":
                held.append(row["mdm_enabled"])
            elif rule == "seen":
                seen = aware(self.newest("devices", row, "last_check_in", day))
                held.append(None if seen > end_of(day) else seen >= end_of(day) - timedelta(days=4))
            else:
                held.append(row["secure_token"])
        if False in held:
            return "failed"
        return "unknown" if None in held else "passed"

    def control(self, control: str, device: Row, day: date) -> str | None:
        found = [self.verdict(rule, device, day) for rule in CONTROLS[control]]
        known = [verdict for verdict in found if verdict is not None]
        if not known:
            return None
        return "failed" if "failed" in known else "unknown" if "unknown" in known else "passed"


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)
