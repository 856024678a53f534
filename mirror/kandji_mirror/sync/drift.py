"""How what came differs from what is declared."""

from collections.abc import Mapping

from kandji_schema.manifest import NO_OBJECT, Drift
from kandji_schema.resource import Resource


def drift_of(
    resource: Resource, leftovers: Mapping[str, int], odd_rows: int = 0, absent: frozenset[str] = frozenset()
) -> Drift:
    """``leftovers`` counts rows by field whose value no column could take; ``absent`` are fields no row carried."""
    known = resource.known_fields
    odd = {name: n for name, n in leftovers.items() if name in known}
    return Drift(
        unknown={name: n for name, n in leftovers.items() if name not in known},
        odd=odd | ({NO_OBJECT: odd_rows} if odd_rows else {}),
        missing=_missing(resource, absent),
    )


def _missing(resource: Resource, absent: frozenset[str]) -> tuple[str, ...]:
    """Fields of columns that nothing came for, though it should: of a column with several sources any will do."""
    ours = {"extra", *resource.parent_key, *(("ordinal",) if resource.repeats else ())}
    heads = [[s.partition(".")[0] for s in c.sources] for c in resource.columns if not c.unsent and c.name not in ours]
    return tuple(sorted({fields[0] for fields in heads if absent.issuperset(fields)}))


def joined(before: Drift, seen: Drift) -> Drift:
    """The drift of a whole set with what some newer rows of it showed."""
    return Drift(
        unknown=_most(before.unknown, seen.unknown),
        odd=_most(before.odd, seen.odd),
        missing=before.missing,
    )


def more_odd(now: Drift, before: Drift) -> bool:
    """Whether more values of some field could not be read than before."""
    return any(rows > before.odd.get(name, 0) for name, rows in now.odd.items())


def _most(one: Mapping[str, int], other: Mapping[str, int]) -> Mapping[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in sorted({*one, *other})}
