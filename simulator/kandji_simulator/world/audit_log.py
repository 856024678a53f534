"""The audit log: what was done in the tenant, by whom, in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from kandji_simulator.world.rng import stable_hash, uuid_from

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: its letters are in the order of their values."""
_ACTORS = 4


class AuditEvent(NamedTuple):
    """One event. ``number`` counts them: events of one moment have different, growing identifiers."""

    number: int
    moment: int
    action: str
    target_type: str
    target_id: str
    component: str
    state: dict[str, Any]
    actor: tuple[str, str] | None = None


class AuditLog:
    """All events, oldest first. ``acting`` is type and identifier of who acts now; None: some administrator."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.events: list[AuditEvent] = []
        self.acting: tuple[str, str] | None = None

    def add(self, moment: int, action: str, target: tuple[str, str], component: str = "", **state: Any) -> None:
        """Log what was done to ``target``, a type and an identifier."""
        self.events.append(AuditEvent(len(self.events), moment, action, *target, component, state, self.acting))

    def identifier(self, event: AuditEvent) -> str:
        """Return a ULID: it grows with time, and within a moment with the number of the event."""
        tail = (event.number << 40) | stable_hash(self._seed, "audit", event.number) >> 88
        return _base32(event.moment // 1_000, 10) + _base32(tail, 16)

    @contextmanager
    def by_token(self) -> Iterator[None]:
        """Log whatever is done meanwhile as asked for by API."""
        self.acting = ("api_token", uuid_from(stable_hash(self._seed, "api token")))
        try:
            yield
        finally:
            self.acting = None

    def actor(self, event: AuditEvent) -> tuple[str, str]:
        """Return type and identifier of who did it: one of a few administrators or tokens, unless it is known."""
        if event.actor is not None:
            return event.actor
        number = stable_hash(self._seed, "actor", event.number) % _ACTORS
        return "api_token" if number == 0 else "user", uuid_from(stable_hash(self._seed, "administrator", number))


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))
