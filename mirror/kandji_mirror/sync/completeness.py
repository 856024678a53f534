"""The gate before publishing: a data file that lacks a mirrored row needs proof that the row is gone.

Every finished file comes through :func:`refuse_unproven`. The proof is what a deletion check found.
"""

from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from kandji_mirror.ingest.engine import Engine, store_errors
from kandji_mirror.ingest.file_queries import first_key, key_parts
from kandji_mirror.ingest.staging import MissingRows
from kandji_schema.errors import StoreDamaged, Suspicious
from kandji_schema.resource import Resource
from kandji_schema.text import counted


@dataclass(frozen=True)
class DeletionProof:
    """What a deletion check found: which mirrored rows may go now that the staged rows take their place.

    ``kept`` rows stay as nothing confirmed that they are gone. Where some were ``unasked``, the next pass has to look
    again. ``proven`` are the rows that were looked at and may go; None where each row's own list was asked for and told
    that it is gone.
    """

    requests: int = 0
    kept: int = 0
    unasked: bool = False
    proven: MissingRows | None = field(default_factory=dict)

    @property
    def note(self) -> str | None:
        """What the table's state says of it; None where nothing was kept."""
        if not self.kept:
            return None
        return f"{counted(self.kept, 'row')} did not come, but no direct question confirmed that they are gone: kept."

    def with_proven(self, more: MissingRows | None) -> "DeletionProof":
        """Return the same with ``more`` rows that may go."""
        if self.proven is None or more is None:
            return replace(self, proven=None)
        names = self.proven.keys() | more.keys()
        none = frozenset[int]()
        return replace(self, proven={n: self.proven.get(n, none) | more.get(n, none) for n in names})


PROVEN_BY_ANSWERS = DeletionProof(proven=None)
"""Of lists that are asked for by the row they belong to: each answer is a direct one."""


def refuse_unproven(
    engine: Engine,
    resource: Resource,
    current: Path,
    finished: Path,
    proof: DeletionProof,
    among: Collection[str] | None,
) -> None:
    """Raise :class:`Suspicious` where a finished file lacks rows of the ``current`` one without proof.

    ``among`` are the first keys whose rows may differ; None means any. A current file that cannot be read proves
    nothing.
    """
    if proof.proven is None:
        return
    try:
        dropped = _dropped(engine, resource, current, finished, among)
    except StoreDamaged:
        return
    unproven = sum(len(keys - proof.proven.get(first, frozenset())) for first, keys in dropped.items())
    if unproven:
        raise Suspicious(
            f"{unproven:,} rows of {resource.name} would go, and nothing confirms that they are gone. The previous "
            "rows are kept; the next pass tries again."
        )


def _dropped(
    engine: Engine, resource: Resource, current: Path, finished: Path, among: Collection[str] | None
) -> Mapping[str, frozenset[int]]:
    """Return the rows of the current file of whose keys the finished one has none, by first key."""
    first, key = first_key(resource), f"hash({', '.join(key_parts(resource))})"
    filled = f"{first} IS NOT NULL"
    some = filled if among is None else f"{filled} AND {first} IN (SELECT unnest($1::VARCHAR[]))"
    with (
        store_errors(str(current)),
        closing(engine.cursor()) as con,
        engine.attached(con, current) as old,
        engine.attached(con, finished) as new,
    ):
        tables = (f'{catalog}.main."{resource.name}"' for catalog in (old, new))
        before, after = (f"SELECT {first} AS first, {key} AS key FROM {table} WHERE {some}" for table in tables)
        sql = f"SELECT first, list(key) FROM ({before}) ANTI JOIN ({after}) USING (key) GROUP BY first"
        found = con.execute(sql, [] if among is None else [list(among)]).fetchall()
    return {str(name): frozenset(keys) for name, keys in found}
