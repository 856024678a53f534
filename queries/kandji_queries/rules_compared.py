"""What other rules would change: the outcomes of the same devices by the rules in force and by those of a file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kandji_queries.reader import Reader

OUTCOMES = "SELECT device_id, CASE is_compliant WHEN true THEN 'pass' WHEN false THEN 'fail' ELSE 'unknown' END FROM "
OUTCOMES += "compliance_devices"
BY_RULE = "SELECT rule, result, count(*) FROM compliance GROUP BY ALL ORDER BY ALL"
NONE = "no rule"
"""Outcome of a device that no rule is for."""

Results = Mapping[str, Mapping[str, int]]
"""Devices by rule and result."""


@dataclass(frozen=True)
class Compared:
    """``moved`` counts devices by their outcome before and after where these differ; ``same`` are the others.

    ``before`` and ``after`` count the devices of each rule by its result.
    """

    moved: Mapping[tuple[str, str], int]
    same: int
    before: Results
    after: Results


def compare(current: "Reader", other: "Reader") -> Compared:
    """Compare the outcomes of two readers of one mirror with different rules."""
    was, now = _outcomes(current), _outcomes(other)
    moves = Counter((was.get(device, NONE), now.get(device, NONE)) for device in {**was, **now})
    moved = {move: count for move, count in sorted(moves.items()) if move[0] != move[1]}
    return Compared(moved, moves.total() - sum(moved.values()), _results(current), _results(other))


def _outcomes(reader: "Reader") -> Mapping[str, str]:
    return {str(device): str(outcome) for device, outcome in reader.run(OUTCOMES).rows}


def _results(reader: "Reader") -> Results:
    found: dict[str, dict[str, int]] = {}
    for rule, result, count in reader.run(BY_RULE).rows:
        found.setdefault(rule, {})[result] = count
    return found
