"""Start-up security."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import boolean, extra, text
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismStartupSettings(PrismRow, table=True):
    """One row per Mac: System Integrity Protection, secure boot and bootstrap tokens."""

    __tablename__ = "prism_startup_settings"

    sip: bool | None = boolean("Whether System Integrity Protection is on.", samples=(True,) * 39 + (False,))
    ssv: bool | None = boolean("Whether the signed system volume is sealed.", samples=(True,))
    bootstrap_token_auth: bool | None = boolean("Whether a bootstrap token authorises.", samples=(False, True))
    bootstrap_token_escrowed: bool | None = boolean(
        "Whether the bootstrap token is escrowed.", samples=(True, True, False)
    )
    kext_requires_bst: bool | None = boolean("Whether kernel extensions need it.", samples=(True, None))
    software_update_requires_bst: bool | None = boolean("Whether software updates need it.", samples=(True, None))
    external_boot_level: str | None = text("Booting from other volumes.", samples=("allowed", "not allowed"))
    secure_boot_level: str | None = text("Level of secure boot.", samples=("full", "full", "medium"))
    any_signed_os: bool | None = boolean("Whether any signed system may start.", samples=(None,))
    mdm_manages_kext: bool | None = boolean("Whether MDM manages kernel extensions.", samples=(None,))
    user_manages_kext: bool | None = boolean("Whether the user manages kernel extensions.", samples=(None,))
    extra: Any = extra()


PRISM_STARTUP_SETTINGS = category(
    PrismStartupSettings,
    "startup_settings",
    ttl=timedelta(minutes=2),
    full_every=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which Macs have SIP off",
            "SELECT d.device_name, d.serial_number FROM prism_startup_settings AS s JOIN devices AS d USING "
            "(device_id) WHERE NOT s.sip",
        ),
    ),
)
