"""Masked history: copies of the segments with pseudonyms in place of personal data, and without known people."""

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

import duckdb

from kandji_mirror.history.segments import OPTIONS, make_tables
from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_mirror.privacy.masking import masked_cell
from kandji_mirror.privacy.scrubbing import scrub_texts
from kandji_schema.files import has_size, publish_file
from kandji_schema.history import EVENTS, TRACKED
from kandji_schema.manifest import Segment, history_dir

Cell = Callable[[str, str, str], str]
"""Gives the expression of a text from those of its table, its column and its value."""


def masked_segments(
    home: Path, engine: Engine, segments: Iterable[Segment], *, anew: bool = False
) -> tuple[Segment, ...]:
    """Return the segments, each with a masked copy: made for those that have none, or for all, ``anew``.

    Raises :class:`StoreError`.
    """
    return tuple(s if _has_copy(home, s) and not anew else _masked_anew(home, engine, s) for s in segments)


def scrubbed_segments(home: Path, engine: Engine, segments: Iterable[Segment], *, since: int) -> tuple[Segment, ...]:
    """Return the segments, masked again where they name somebody who became known at that number or later."""
    return tuple(_masked_anew(home, engine, s) if _names_anybody(home, engine, s, since) else s for s in segments)


def _names_anybody(home: Path, engine: Engine, segment: Segment, since: int) -> bool:
    if not _has_copy(home, segment):
        return False
    path = history_dir(home) / segment.file
    with store_errors("The history"), closing(engine.cursor()) as con, engine.attached(con, path) as source:
        return scrub_texts(con, _texts(source, already=_is_masked(segment)), since=since) > 0


def _is_masked(segment: Segment) -> bool:
    return segment.masked_file == segment.file


def masked_only(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return the segments with their masked copies in place of the full files."""
    return tuple(replace(s, file=str(s.masked_file), bytes=s.masked_bytes) for s in segments)


def marked_as_masked(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return segments of tables whose rows came masked as their own masked copies."""
    return tuple(replace(s, masked_file=s.file, masked_bytes=s.bytes) for s in segments)


def _has_copy(home: Path, segment: Segment) -> bool:
    name = segment.masked_file
    return name is not None and has_size(history_dir(home) / name, segment.masked_bytes)


def _masked_anew(home: Path, engine: Engine, segment: Segment) -> Segment:
    """Return the segment with its masked file made anew; where it is the only one, in a file of another name."""
    folder = history_dir(home)
    stem = segment.file.removesuffix(".duckdb").removesuffix(".masked")
    if _is_masked(segment):
        stem = f"{stem.partition('.')[0]}.{token_hex(4)}"
    final = folder / f"{stem}.masked.duckdb"
    temporary = final.with_name(f"{final.name}.tmp")
    temporary.unlink(missing_ok=True)
    with store_errors("The masked history"), closing(engine.cursor()) as con:
        _write(con, engine, folder / segment.file, temporary, already=_is_masked(segment))
        publish_file(temporary, final)
    made = replace(segment, masked_file=final.name, masked_bytes=final.stat().st_size)
    return replace(made, file=final.name, bytes=made.masked_bytes) if _is_masked(segment) else made


def _write(con: duckdb.DuckDBPyConnection, engine: Engine, source: Path, target: Path, *, already: bool) -> None:
    with engine.attached(con, source) as full, engine.attached(con, target, writable=True, options=OPTIONS) as copy:
        scrub_texts(con, _texts(full, already=already))
        con.execute("SET VARIABLE scrubbed = (SELECT map(list(before), list(after)) FROM temp.scrubbed)")
        make_tables(con, f"{copy}.main")
        con.execute(f"INSERT INTO {copy}.main.{TRACKED} FROM {full}.main.{TRACKED}")
        con.execute(f"INSERT INTO {copy}.main.{EVENTS} {_events(full, _scrubbed_as_is if already else _scrubbed)}")
        con.execute(f"CHECKPOINT {copy}")


def _as_is(_table: str, _column: str, value: str) -> str:
    """Keep what is masked already."""
    return value


def _scrubbed_as_is(_table: str, _column: str, value: str) -> str:
    return _without_people(value)


def _scrubbed(table: str, column: str, value: str) -> str:
    return _without_people(masked_cell(table, column, value))


def _without_people(value: str) -> str:
    return f"coalesce(getvariable('scrubbed')[{value}], {value})"


def _texts(full: str, *, already: bool) -> str:
    """Select every text of the events, masked, as ``v``: lists of them, for all that is in a row."""
    cell = _as_is if already else masked_cell
    first, others = _keys(cell)
    lists = [
        f"[{first}]",
        f"from_json({others}, '[\"VARCHAR\"]')",
        *(f"flatten(map_values(from_json({_values(c, cell)}, '\"MAP(VARCHAR,VARCHAR[])\"')))" for c in ("old", "new")),
    ]
    rows = f"{full}.main.{EVENTS} AS e LEFT JOIN {full}.main.{TRACKED} AS t USING (table_name)"
    return " UNION ALL ".join(f"SELECT unnest({texts}) AS v FROM {rows}" for texts in lists)


def _events(full: str, cell: Cell) -> str:
    """Select the events with masked keys and values; ``tracked`` tells which columns the keys are of."""
    first, others = _keys(cell)
    return (
        f"SELECT changed_at, generation, table_name, change, {first}, {others}, {_values('old', cell)}, "
        f"{_values('new', cell)} FROM {full}.main.{EVENTS} AS e LEFT JOIN {full}.main.{TRACKED} AS t USING (table_name)"
    )


def _keys(cell: Cell) -> tuple[str, str]:
    """Return the first part of a row's key, and a JSON list of the others."""
    part = cell("table_name", "part[1]", "part[2]")
    others = (
        "to_json(list_transform(list_zip(t.keys[2:] || t.fallbacks, from_json(other_keys, '[\"VARCHAR\"]')), "
        f"lambda part: {part}))::VARCHAR"
    )
    return cell("table_name", "t.keys[1]", "first_key"), others


def _values(column: str, cell: Cell) -> str:
    """Mask an object of lists, ``{"os_version":["15.1"],"user_id":[]}``: a list that is empty stays."""
    text = cell("table_name", "cell.key", "text")
    return (
        f"CASE WHEN {column} IS NOT NULL THEN to_json(map_from_entries(list_transform("
        f"map_entries(from_json({column}, '\"MAP(VARCHAR,VARCHAR[])\"')), lambda cell: "
        f"{{'k': cell.key, 'v': list_transform(cell.value, lambda text: {text})}})))::VARCHAR END"
    )
