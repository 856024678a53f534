"""Gatekeeper and XProtect."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import boolean, extra, text
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismGatekeeperAndXProtect(PrismRow, table=True):
    """One row per Mac: Gatekeeper, XProtect and the Malware Removal Tool."""

    __tablename__ = "prism_gatekeeper_and_xprotect"

    gatekeeper_status: bool | None = boolean("Whether Gatekeeper is on.", samples=(True,) * 19 + (False,))
    trusted_developers: bool | None = boolean("Whether identified developers are trusted.", samples=(True,))
    gatekeeper_version: str | None = text("Version of Gatekeeper.", samples=("8.0",))
    gatekeeper_opaque_version: str | None = text("Version of its opaque list.", samples=("94",))
    xprotect_version: str | None = text("Version of XProtect.", samples=("5283", "5287", "5290"))
    malware_removal_tool_version: str | None = text("Version of the Malware Removal Tool.", samples=("1.93",))
    extra: Any = extra()


PRISM_GATEKEEPER_AND_XPROTECT = category(
    PrismGatekeeperAndXProtect,
    "gatekeeper_and_xprotect",
    ttl=timedelta(minutes=2),
    full_every=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which XProtect versions are there",
            "SELECT xprotect_version, count(*) AS macs FROM prism_gatekeeper_and_xprotect GROUP BY ALL ORDER "
            "BY macs DESC",
        ),
        Ask(
            "Which Macs have Gatekeeper off",
            "SELECT d.device_name, d.serial_number FROM prism_gatekeeper_and_xprotect AS g JOIN devices AS d "
            "USING (device_id) WHERE NOT g.gatekeeper_status",
        ),
    ),
)
