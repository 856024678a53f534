"""What was seen of rows on their way in: counts and totals of their pages, and their drift from the declaration."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kandji_mirror.api.paging import Page
from kandji_schema.manifest import NO_OBJECT, Drift
from kandji_schema.resource import Resource


@dataclass
class ExtractStats:
    """Counts of the pages of one reading. ``last_total`` is what the last page told of how many rows there are.

    ``torn`` counts overlapping pages that did not begin with the last row of the one before. ``kept_parents`` are those
    whose own list could not be read, ``reason`` the first one's. ``note`` says where the picture is not quite one.
    It is ``ordered`` where the rows came in the order of their key and no page is torn. ``split`` are the first keys
    whose rows came on several pages, noted only of a table with repeats: a row that shifted to the next page is there
    twice, and no key tells.
    """

    pages: int = 0
    rows: int = 0
    odd_rows: int = 0
    torn: int = 0
    totals: set[int | None] = field(default_factory=set)
    last_total: int | None = None
    absent: frozenset[str] | None = None
    kept_parents: list[tuple[str, ...]] = field(default_factory=list)
    reason: str | None = None
    note: str | None = None
    ordered: bool = False
    split: set[str] = field(default_factory=set)
    _met: set[str] = field(default_factory=set)

    def add_page(self, page: Page, *, overlap: int = 0, unbroken: bool = True, ascending: bool = True) -> None:
        """Count a page in; its first ``overlap`` rows were counted before, and it is ``unbroken`` where they fit.

        Its rows are ``ascending`` where they come in the order of their key.
        """
        self.pages += 1
        self.torn += not unbroken
        self.ordered &= unbroken and ascending
        self.rows += len(page.rows) - overlap
        self.odd_rows += page.odd_rows
        self.totals.add(page.total)
        self.last_total = page.total
        if page.rows:
            self.absent = page.absent if self.absent is None else self.absent & page.absent

    def keep_parent(self, parent: tuple[str, ...], reason: str) -> None:
        """Take note of a parent whose own list could not be read, and why."""
        self.kept_parents.append(parent)
        self.reason = self.reason or reason

    def note_keys(self, keys: Collection[str]) -> None:
        """Take note of the first keys of a page."""
        met = set(keys)
        self.split |= met & self._met
        self._met |= met

    @property
    def never_sent(self) -> frozenset[str]:
        """Known fields that no row carried."""
        return self.absent or frozenset()

    @property
    def fits_total(self) -> bool:
        """Whether every page told the same total and so many rows came."""
        return self.totals <= {None} or self.totals == {self.rows + self.odd_rows}


def observed_drift(
    resource: Resource, leftovers: Mapping[str, int], odd_rows: int = 0, absent: frozenset[str] = frozenset()
) -> Drift:
    """Return how what came differs from the declaration.

    ``leftovers`` counts rows by field whose value no column could take; ``absent`` are fields no row carried.
    """
    known = resource.known_fields
    odd = {name: n for name, n in leftovers.items() if name in known}
    return Drift(
        unknown={name: n for name, n in leftovers.items() if name not in known},
        odd=odd | ({NO_OBJECT: odd_rows} if odd_rows else {}),
        missing=_missing(resource, absent),
    )


def _missing(resource: Resource, absent: frozenset[str]) -> tuple[str, ...]:
    """Return the fields of columns that nothing came for, though it should; of several sources any will do."""
    ours = {"extra", *resource.parent_key, *(("ordinal",) if resource.repeats else ())}
    heads = [[s.partition(".")[0] for s in c.sources] for c in resource.columns if not c.unsent and c.name not in ours]
    return tuple(sorted({fields[0] for fields in heads if absent.issuperset(fields)}))


def merge_drift(before: Drift, seen: Drift) -> Drift:
    """Return the drift of a whole set with what some newer rows of it showed."""
    return Drift(_most(before.unknown, seen.unknown), _most(before.odd, seen.odd), before.missing)


def has_more_odd_values(now: Drift, before: Drift) -> bool:
    """Return whether more values of some field could not be read than before."""
    return any(rows > before.odd.get(name, 0) for name, rows in now.odd.items())


def _most(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in sorted({*one, *other})}
