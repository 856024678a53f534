"""How old an answer is, in words."""

from datetime import datetime

from kandji_schema.ages import age
from kandji_schema.manifest import State


def in_words(synced_at: str | None, now: datetime) -> str:
    """``2026-11-20T12:00:00Z`` as an age: ``5 min``, ``3 h``, ``never synced``."""
    return age(datetime.fromisoformat(synced_at), now) if synced_at else State.NEVER.value
