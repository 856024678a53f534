"""FileVault."""

from datetime import datetime, timedelta
from typing import Any

from kandji_schema.columns import boolean, extra, text, timestamp
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


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
    PrismFileVault,
    "filevault",
    ttl=timedelta(minutes=2),
    full_every=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which Macs have FileVault off, or it is not known",
            "SELECT d.device_name, d.serial_number, d.user_email, f.status FROM devices AS d LEFT JOIN "
            "prism_filevault AS f USING (device_id) WHERE d.platform = 'Mac' AND f.status IS NOT true",
        ),
        Ask(
            "Which keys are not escrowed",
            "SELECT d.device_name, d.serial_number, f.key_type FROM prism_filevault AS f JOIN devices AS d "
            "USING (device_id) WHERE f.status AND f.key_escrowed IS NOT true",
        ),
    ),
)
