"""What may go: the proof that every new data file has to show for the rows it lacks, and the one place that looks."""

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_mirror.ingest.keys import first_key, key_parts
from kandji_mirror.ingest.staging import Lost
from kandji_schema.errors import StoreDamaged, Suspicious
from kandji_schema.resource import Resource


@dataclass(frozen=True)
class Cleared:
    """Staged rows that may take the place of the mirrored ones, and the mirrored rows that may go by it.

    ``rescued`` rows are there though they had not come; ``kept`` ones stay as nothing confirmed that they are gone.
    Where some were ``unasked``, the table is to be settled on its next pass. ``goes`` are the rows that were looked at
    and may go; None where each row's own list was asked for and told that it is gone.
    """

    requests: int = 0
    rescued: int = 0
    kept: int = 0
    unasked: bool = False
    goes: Lost | None = field(default_factory=dict)

    @property
    def note(self) -> str | None:
        """What is not perfect though nothing failed."""
        if not self.kept:
            return None
        return f"{self.kept:,} rows did not come, but no direct question confirmed that they are gone: they are kept."

    def with_more(self, goes: Lost | None) -> "Cleared":
        """The same with other rows that may go too."""
        return Cleared(self.requests, self.rescued, self.kept, self.unasked, _joined(self.goes, goes))


OF_LISTS = Cleared(goes=None)
"""Of lists that are asked for by the row they belong to: each answer is a direct one."""


def refuse_unproven(
    engine: Engine, resource: Resource, live: Path, finished: Path, cleared: Cleared, among: Collection[str] | None
) -> None:
    """:class:`Suspicious` where a finished file lacks rows of the ``live`` one that were not cleared.

    ``among`` are the first keys whose rows may differ; None means any. A live file that cannot be read proves nothing.
    """
    if cleared.goes is None:
        return
    try:
        dropped = _dropped(engine, resource, live, finished, among)
    except StoreDamaged:
        return
    unproven = sum(len(keys - cleared.goes.get(first, frozenset())) for first, keys in dropped.items())
    if unproven:
        raise Suspicious(
            f"{unproven:,} rows of {resource.name} would go, and nothing confirms that they are gone. The previous "
            "rows are kept; the next pass tries again."
        )


def _dropped(
    engine: Engine, resource: Resource, live: Path, finished: Path, among: Collection[str] | None
) -> Mapping[str, frozenset[int]]:
    """Rows of the live file of whose keys the finished one has none, by first key."""
    first, key = first_key(resource), f"hash({', '.join(key_parts(resource))})"
    filled = f"{first} IS NOT NULL"
    some = filled if among is None else f"{filled} AND {first} IN (SELECT unnest($1::VARCHAR[]))"
    with (
        store_errors(str(live)),
        closing(engine.cursor()) as con,
        engine.attached(con, live) as old,
        engine.attached(con, finished) as new,
    ):
        tables = (f'{catalog}.main."{resource.name}"' for catalog in (old, new))
        before, after = (f"SELECT {first} AS first, {key} AS key FROM {table} WHERE {some}" for table in tables)
        sql = f"SELECT first, list(key) FROM ({before}) ANTI JOIN ({after}) USING (key) GROUP BY first"
        found = con.execute(sql, [] if among is None else [list(among)]).fetchall()
    return {str(name): frozenset(keys) for name, keys in found}


def _joined(some: Lost | None, others: Lost | None) -> Lost | None:
    if some is None or others is None:
        return None
    names = some.keys() | others.keys()
    return {name: some.get(name, frozenset()) | others.get(name, frozenset()) for name in names}
