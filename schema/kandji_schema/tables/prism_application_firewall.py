"""The application firewall."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import boolean, extra, text
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismApplicationFirewall(PrismRow, table=True):
    """One row per Mac: state of the application firewall."""

    __tablename__ = "prism_application_firewall"

    status: bool | None = boolean("Whether the firewall is on.", samples=(True, True, True, False))
    block_all_incoming: bool | None = boolean("Whether all incoming connections are blocked.", samples=(False,))
    logging: bool | None = boolean("Whether it logs.", samples=(True, None))
    logging_option: str | None = text("How much it logs.", samples=("throttled", "detail"))
    stealth_mode: bool | None = boolean("Whether stealth mode is on.", samples=(True, False))
    version: str | None = text("Version of the firewall.", samples=("1.6", "1.7"))
    allow_signed_applications: bool | None = boolean("Whether signed software is let through.", samples=(True,))
    unloading: bool | None = boolean("Whether it is being unloaded.", samples=(False,))
    extra: Any = extra()


PRISM_APPLICATION_FIREWALL = category(
    PrismApplicationFirewall,
    "application_firewall",
    ttl=timedelta(minutes=2),
    full_every=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which Macs have no firewall",
            "SELECT d.device_name, d.serial_number FROM prism_application_firewall AS f JOIN devices AS d "
            "USING (device_id) WHERE NOT f.status",
        ),
    ),
)
