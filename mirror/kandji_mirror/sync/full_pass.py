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
from kandji_schema.manifest import NO_OBJECT, Drift, State, TableState
from kandji_schema.resource import Resource

METHOD = "full walk"


@dataclass(frozen=True)
class Live:
    """A published data file that was read to its end: ``digest`` is of what is in it now."""

    path: Path
    digest: str
    rows: int


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

    def _live(self, staging: Staging) -> Live | None:
        """The published data file, if it can still be read to its last block."""
        path = self.store.data_file(self.resource.name)
        digest = staging.digest_of_file(path) if path else None
        same_columns = self.previous.ddl[0] == ddl.statements(self.resource)[0]
        if path and digest is None and same_columns:
            self.store.warnings.append(f"{path} is damaged; {self.resource.name} is written anew.")
        return Live(path, digest, self.previous.rows) if path and digest else None

    def run(self) -> TableState:
        """Read everything and write a data file if anything differs. Raises any of our errors; then nothing changed."""
        began = self.store.wall()
        with self.store.scratch(self.resource.name) as (scratch, target), Staging(self.resource, scratch) as staging:
            live = self._live(staging)
            walked = self._walk(staging, live)
            requests = walked.pages + self._check(staging, live)
            staging.drop_duplicates()
            state = self._written(staging, live, target)
            leftovers = staging.leftovers()
        known = self.resource.known_fields
        state = replace(
            state,
            method=METHOD,
            requests=requests,
            drift=Drift(
                unknown={name: n for name, n in leftovers.items() if name not in known},
                odd={name: n for name, n in leftovers.items() if name in known}
                | ({NO_OBJECT: walked.odd_rows} if walked.odd_rows else {}),
            ),
            attempted_at=began,
        )
        return self._ended(state, walked, began)

    def _walk(self, staging: Staging, live: Live | None) -> Walked:
        if self.resource.parent is None:
            return walk_all(self.client, self.resource, staging, self.progress)
        walked = walk_parents(self.client, self.resource, staging, self.progress, self.parents)
        if walked.kept_parents and live:
            column = next(iter(self.resource.parent_key))
            staging.copy_rows(live.path, column, [key[0] for key in walked.kept_parents])
        return walked

    def _check(self, staging: Staging, live: Live | None) -> int:
        """Refuse what must not replace the mirrored rows; returns the requests it took to find out."""
        rows = staging.rows
        if rows and staging.rows_without_key() == rows:
            raise Suspicious(f"None of the {rows} rows of {self.resource.name} has a {self.resource.key[0]}.")
        if live and self.resource.confirm:
            return confirm_vanished(self.client, self.resource, staging, live.path, live.rows)
        if live and self.resource.category:
            return confirm_shrunk(self.client, self.resource, staging, live.rows)
        return 0

    def _written(self, staging: Staging, live: Live | None, target: Path) -> TableState:
        """The state with the rows as they are now; the published file stays where it holds exactly these."""
        digest, definition = staging.digest(), ddl.statements(self.resource)
        if live and live.digest == digest and self.previous.ddl == definition:
            return replace(self.previous, digest=digest)
        rows = staging.write(target)
        size = target.stat().st_size
        file = self.store.admit(self.resource.name, target)
        return replace(self.previous, ddl=definition, file=file, bytes=size, rows=rows, digest=digest)

    def _ended(self, state: TableState, walked: Walked, began: datetime) -> TableState:
        if not walked.kept_parents:
            return replace(state, state=State.OK, synced_at=began, error=None)
        kept = f"{len(walked.kept_parents)} of {len(self.parents)} lists could not be read and kept their previous rows"
        return replace(state, state=State.FAILED, error=f"{kept}: {walked.reason}")
