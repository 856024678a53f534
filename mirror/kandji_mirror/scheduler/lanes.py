"""Lanes: tables that are read together, so that a long export holds up no table that is due every few minutes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from kandji_mirror.sync.strategy import Method
from kandji_schema.manifest import TableState
from kandji_schema.resource import Resource

FAST = timedelta(minutes=5)
"""The longest time to live of tables that are read in the fast lane."""


@dataclass(frozen=True)
class Lane:
    """Tables that ``takes`` names; every ``seconds`` it is looked whether one of them is due."""

    name: str
    seconds: float
    takes: Callable[[Resource, TableState], bool]
    sweeps: bool = False


def _per_device(resource: Resource, state: TableState) -> bool:
    """What costs a request a device: always, or because the token may not read Prism."""
    return resource.swept or state.method == Method.PER_DEVICE


def _fast(resource: Resource, state: TableState) -> bool:
    return not _per_device(resource, state) and resource.ttl <= FAST


def _slow(resource: Resource, state: TableState) -> bool:
    return not _per_device(resource, state) and resource.ttl > FAST


LANES = (
    Lane("fast", 5, _fast),
    Lane("slow", 20, _slow),
    Lane("sweep", 60, _per_device, sweeps=True),
)
"""Every table is in exactly one, by its declared time to live: a stretched one stays where it is."""
