"""Masked twins of the segments of history, whose layout is in :mod:`kandji_schema.segments`."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import duckdb

from kandji_mirror.history.segment import OPTIONS, make_tables
from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_mirror.privacy.masking import masked_cell
from kandji_schema.durable import appear
from kandji_schema.manifest import Segment, history_dir
from kandji_schema.segments import EVENTS, TRACKED


def masked_segments(
    home: Path, engine: Engine, segments: Iterable[Segment], *, anew: bool = False
) -> tuple[Segment, ...]:
    """The segments, each with a masked twin: made for those that have none, or for all, ``anew``.

    Raises :class:`StoreError`.
    """
    return tuple(s if _has_twin(home, s) and not anew else _with_twin(home, engine, s) for s in segments)


def masked_only(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The segments with their twins in place of the full files."""
    return tuple(replace(s, file=str(s.masked_file), bytes=s.masked_bytes) for s in segments)


def as_they_are(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """Segments of tables whose rows came masked: they are masked themselves."""
    return tuple(replace(s, masked_file=s.file, masked_bytes=s.bytes) for s in segments)


def _has_twin(home: Path, segment: Segment) -> bool:
    path = history_dir(home) / str(segment.masked_file)
    return segment.masked_file is not None and path.is_file() and path.stat().st_size == segment.masked_bytes


def _with_twin(home: Path, engine: Engine, segment: Segment) -> Segment:
    folder = history_dir(home)
    final = folder / f"{segment.file.removesuffix('.duckdb')}.masked.duckdb"
    temporary = final.with_name(f"{final.name}.tmp")
    temporary.unlink(missing_ok=True)
    with store_errors("The masked history"), closing(engine.cursor()) as con:
        _write(con, engine, folder / segment.file, temporary)
        temporary.chmod(0o600)
        final.unlink(missing_ok=True)  # of a run that was killed between this step and its manifest
        appear(temporary, final)
    return replace(segment, masked_file=final.name, masked_bytes=final.stat().st_size)


def _write(con: duckdb.DuckDBPyConnection, engine: Engine, source: Path, target: Path) -> None:
    with engine.attached(con, source) as full, engine.attached(con, target, writable=True, options=OPTIONS) as twin:
        make_tables(con, f"{twin}.main")
        con.execute(f"INSERT INTO {twin}.main.{TRACKED} FROM {full}.main.{TRACKED}")
        con.execute(f"INSERT INTO {twin}.main.{EVENTS} {_events(full)}")
        con.execute(f"CHECKPOINT {twin}")


def _events(full: str) -> str:
    """The events with masked keys and values. ``tracked`` tells which columns the keys are of."""
    first = masked_cell("table_name", "t.keys[1]", "first_key")
    part = masked_cell("table_name", "part[1]", "part[2]")
    others = (
        "to_json(list_transform(list_zip(t.keys[2:] || t.fallbacks, from_json(other_keys, '[\"VARCHAR\"]')), "
        f"lambda part: {part}))::VARCHAR"
    )
    return (
        f"SELECT changed_at, generation, table_name, change, {first}, {others}, {_values('old')}, {_values('new')} "
        f"FROM {full}.main.{EVENTS} AS e LEFT JOIN {full}.main.{TRACKED} AS t USING (table_name)"
    )


def _values(column: str) -> str:
    """An object of lists, ``{"os_version":["15.1"],"user_id":[]}``: a list that is empty stays."""
    text = masked_cell("table_name", "cell.key", "text")
    return (
        f"CASE WHEN {column} IS NOT NULL THEN to_json(map_from_entries(list_transform("
        f"map_entries(from_json({column}, '\"MAP(VARCHAR,VARCHAR[])\"')), lambda cell: "
        f"{{'k': cell.key, 'v': list_transform(cell.value, lambda text: {text})}})))::VARCHAR END"
    )
