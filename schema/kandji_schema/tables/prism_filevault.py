"""FileVault."""

from datetime import datetime, timedelta
from typing import Any

from kandji_schema.columns import boolean, extra, text, timestamp
from kandji_schema.prism import MAC, PrismRow, category


class PrismFileVault(PrismRow, table=True):
    """One row per Mac: disk encryption and the escrow of its recovery key (never the key)."""

    __tablename__ = "prism_filevault"

    status: bool | None = boolean("Whether FileVault is on.", samples=(True,) * 9 + (False,))
    key_type: str | None = text("Kind of recovery key.", samples=("Personal", "Personal", "Institutional", None))
    key_escrowed: bool | None = boolean("Whether the recovery key is escrowed.", samples=(True,) * 8 + (False, None))
    regeneration_needed: bool | None = boolean("Whether a new key is needed.", samples=(False, False, None))
    scheduled_key_rotation: datetime | None = timestamp("When the key will be rotated.")
    extra: Any = extra()


PRISM_FILEVAULT = category(
    PrismFileVault, "filevault", ttl=timedelta(minutes=2), full_every=timedelta(hours=6), platforms=MAC
)
