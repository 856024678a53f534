"""One full pass over one resource: walk, check, and write the next data file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from kandji_mirror.api.client import Client
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.store.store import Store
from kandji_mirror.sync.outcome import Progress
from kandji_mirror.sync.vanished import confirm_shrunk, confirm_vanished
from kandji_mirror.sync.walks import Walked, walk_all, walk_parents
from kandji_schema import ddl
from kandji_schema.errors import Suspicious
from kandji_schema.manifest import State, TableState
from kandji_schema.resource import Resource

METHOD = "full walk"


@dataclass(frozen=True)
class Pass:
    """What a pass over one resource needs. ``parents`` are key values of the parent's rows, where there is a parent."""

    store: Store
    client: Client
    resource: Resource
    progress: Progress
    parents: Sequence[tuple[str, ...]] = ()

    @property
    def previous(self) -> TableState:
        """The table as it is published now."""
        return self.store.current.tables[self.resource.name]

    @property
    def live(self) -> Path | None:
        """The published data file."""
        return self.store.data_file(self.resource.name)

    def run(self) -> TableState:
        """Read everything and write a data file if anything differs. Raises any of our errors; then nothing changed."""
        began = self.store.wall()
        with self.store.scratch(self.resource.name) as (scratch, target), Staging(self.resource, scratch) as staging:
            walked = self._walk(staging)
            requests = walked.pages + self._check(staging, walked)
            staging.drop_duplicates()
            state = self._written(staging, target)
            leftovers = staging.leftovers()
        known = self.resource.known_fields
        state = replace(
            state,
            method=METHOD,
            requests=requests,
            odd_values=walked.odd_rows + sum(n for name, n in leftovers.items() if name in known),
            unknown_fields=tuple(name for name in leftovers if name not in known),
            attempted_at=began,
        )
        return self._ended(state, walked, began)

    def _walk(self, staging: Staging) -> Walked:
        if self.resource.parent is None:
            return walk_all(self.client, self.resource, staging, self.progress)
        walked = walk_parents(self.client, self.resource, staging, self.progress, self.parents)
        if walked.kept_parents and self.live:
            column = next(iter(self.resource.parent_key))
            staging.copy_rows(self.live, column, [key[0] for key in walked.kept_parents])
        return walked

    def _check(self, staging: Staging, walked: Walked) -> int:
        """Refuse what must not replace the mirrored rows; returns the requests it took to find out."""
        rows = staging.rows
        if rows and staging.rows_without_key() == rows:
            raise Suspicious(f"None of the {rows} rows of {self.resource.name} has a {self.resource.key[0]}.")
        if self.live is None:
            return 0
        if self.resource.confirm:
            return confirm_vanished(self.client, self.resource, staging, self.live, self.previous.rows)
        if self.resource.category:
            return confirm_shrunk(self.client, self.resource, staging, self.previous.rows)
        return 0

    def _written(self, staging: Staging, target: Path) -> TableState:
        """The state with the rows as they are now; the published file stays where it holds exactly these."""
        digest = staging.digest()
        if self.live and digest == self.previous.digest and staging.digest_of_file(self.live) == digest:
            return self.previous
        rows = staging.write(target)
        size = target.stat().st_size
        file = self.store.admit(self.resource.name, target)
        return replace(
            self.previous, ddl=ddl.statements(self.resource), file=file, bytes=size, rows=rows, digest=digest
        )

    def _ended(self, state: TableState, walked: Walked, began: datetime) -> TableState:
        if not walked.kept_parents:
            return replace(state, state=State.OK, synced_at=began, error=None)
        kept = f"{len(walked.kept_parents)} of {len(self.parents)} lists could not be read and kept their previous rows"
        return replace(state, state=State.FAILED, error=f"{kept}: {walked.reason}")
