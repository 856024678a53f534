"""System extensions."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, boolean, extra, text
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismSystemExtension(PrismRow, table=True):
    """One row per Mac and version of a system extension, versions that wait for their removal included."""

    __tablename__ = "prism_system_extensions"

    identifier: str | None = text(
        "Bundle identifier of the extension.",
        key=True,
        samples=("io.kandji.KandjiAgent.ESF", "com.crowdstrike.falcon.Agent", "com.cisco.anyconnect.macos.acsockext"),
    )
    bundle_version: str | None = text("Build of the extension.", key=True, samples=("779", "812"))
    short_version: str | None = text(
        "Version of the extension; compare with version_below(short_version, '14.6').",
        samples=("1.8.24", "7.19", "5.1.2"),
    )
    name: str | None = text("Name of the extension.", samples=("Kandji ESF Extension", "Falcon", "Socket Filter"))
    state: str | None = text(
        "activated_enabled where it runs; else what it waits for.",
        samples=("activated_enabled",) * 4
        + ("activated_waiting_for_user", "terminated_waiting_to_uninstall_on_reboot"),
    )
    categories: str | None = text(
        "What kind it is, such as com.apple.system_extension.endpoint_security.",
        samples=("com.apple.system_extension.endpoint_security", "com.apple.system_extension.network_extension"),
    )
    team_id: str | None = text("Team identifier of the signer.", samples=("P3FGV63VK7", "X9E956P446", "DE8Y96K9QP"))
    is_mdm_managed: bool | None = boolean("Whether MDM allowed it.", samples=(True, True, False))
    path: str | None = text(
        "Where it lies.",
        personal=Personal.PATH,
        samples=("/Library/SystemExtensions/0C1D/io.kandji.KandjiAgent.ESF.systemextension",),
    )
    bundle_path: str | None = text(
        "Where the app lies that brought it.",
        personal=Personal.PATH,
        samples=("/Library/Kandji/Kandji Agent.app", "/Applications/Falcon.app"),
    )
    extra: Any = extra()


PRISM_SYSTEM_EXTENSIONS = category(
    PrismSystemExtension,
    "system_extensions",
    ttl=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which system extensions are active",
            "SELECT identifier, state, count(*) AS macs FROM prism_system_extensions GROUP BY ALL ORDER BY macs DESC",
        ),
    ),
)
