"""What was meant by a name that several tables of a join have, or that is joined by what one of them has not."""

import re
from collections.abc import Mapping

from kandji_queries.advice.finding import Finding
from kandji_queries.advice.nearest import Columns
from kandji_schema.sql import fold_name

_AMBIGUOUS = re.compile(
    r'Binder Error: Ambiguous reference to column name "(?P<name>[^"\n]+)" \(use: (?P<full>[^)\n]+)\)'
)
_NO_SIDE = re.compile(r'Binder Error: Column "(?P<name>[^"\n]+)" does not exist on (?P<side>left|right) side of join')


def ambiguous(error: str) -> tuple[str, list[str]] | None:
    """Return the column that several tables have, and how it is named of each; None where that is not the trouble."""
    found = _AMBIGUOUS.match(error)
    return (found["name"], re.findall(r"[\"']([^\"'\n]+)[\"']", found["full"])) if found else None


def unjoined(sql: str, error: str, aliases: Mapping[str, str], columns: Columns) -> Finding | None:
    """Return how tables are joined that do not both have the column of USING; None where that is not the trouble."""
    found = _NO_SIDE.match(error)
    if found is None:
        return None
    name = fold_name(found["name"])
    holders = [table for table in dict.fromkeys(aliases.values()) if name in columns.get(table, ())]
    others = [table for table in dict.fromkeys(aliases.values()) if name not in columns.get(table, ())]
    if not others:
        return None
    words = f"{' and '.join(others)} {'has' if len(others) == 1 else 'have'} no column {name}"
    words += f"; {' and '.join(holders)} has it." if holders else "."
    if len(aliases) != 2:
        return Finding(words)
    (left, one), (right, other) = aliases.items()
    way, added = _way(left, one, right, other, columns)
    if not way:
        return Finding(words)
    using = re.compile(rf'(?i)\b((?:(?:INNER|LEFT|RIGHT|FULL|OUTER)\s+)*JOIN\s[^()]*?)\bUSING\s*\(\s*"?{name}"?\s*\)')
    mended = using.sub(lambda place: f"{added}{place[1]}{way}", sql, count=1)
    return Finding(f"{words} They are joined by {way if not added else f'{added.strip()} ... {way}'}.", mended)


def _way(left: str, one: str, right: str, other: str, columns: Columns) -> tuple[str, str]:
    """Return the condition that joins two tables, and the join that comes before it where they meet in a third."""
    ours, theirs = set(columns.get(one, ())), set(columns.get(other, ()))
    for shared in ("device_id", "cve_id", "blueprint_id", "user_id"):
        if shared in ours & theirs:
            return f"USING ({shared})", ""
    for key, table in (("user_id", "users"), ("blueprint_id", "blueprints")):
        if one == table and key in theirs:
            return f"ON {right}.{key} = {left}.id", ""
        if other == table and key in ours:
            return f"ON {left}.{key} = {right}.id", ""
    if one == "users" and "device_id" in theirs:
        return "USING (device_id)", f"JOIN devices ON devices.user_id = {left}.id "
    if other == "users" and "device_id" in ours:
        return f"ON devices.user_id = {right}.id", "JOIN devices USING (device_id) "
    return "", ""
