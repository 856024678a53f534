"""Privacy permissions (macOS calls their store the Transparency, Consent and Control database)."""

from datetime import datetime, timedelta
from typing import Any

from kandji_schema.columns import Personal, extra, text, timestamp
from kandji_schema.prism import MAC, PrismRow, category
from kandji_schema.resource import Ask


class PrismTransparencyEntry(PrismRow, table=True):
    """One row per Mac, privacy-protected service, application and local account: what the application may do."""

    __tablename__ = "prism_transparency_database"

    service: str | None = text(
        "What is protected, such as Camera or SystemPolicyAllFiles (Full Disk Access).",
        key=True,
        samples=("Camera", "Microphone", "ScreenCapture", "SystemPolicyAllFiles", "BluetoothAlways"),
    )
    application: str | None = text(
        "Who asks: a bundle identifier, or a path, which may hold a home folder's name.",
        key=True,
        personal=Personal.APPLICATION,
        samples=("us.zoom.xos", "com.tinyspeck.slackmacgap", "com.okta.mobile", "io.kandji.KandjiAgent"),
    )
    client_type: str | None = text(
        "Whether application is a Bundle Identifier or a path.", key=True, samples=("Bundle Identifier",)
    )
    local_user: str | None = text(
        "Local account it holds for; empty for the whole Mac.",
        key=True,
        personal=Personal.IDENTITY,
        samples=(None, "admin"),
    )
    status: str | None = text("Allowed, Denied, or as the provider calls it.", samples=("Allowed",) * 4 + ("Denied",))
    status_reason: str | None = text(
        "Who decided it.", samples=("User Consent", "User Consent", "MDM Policy", "System Set")
    )
    last_modified: datetime | None = timestamp("When it was decided.")
    extra: Any = extra()


PRISM_TRANSPARENCY_DATABASE = category(
    PrismTransparencyEntry,
    "transparency_database",
    ttl=timedelta(hours=6),
    platforms=MAC,
    asks=(
        Ask(
            "Which apps may use a service, on how many Macs",
            "SELECT service, application, count(DISTINCT device_id) AS macs FROM prism_transparency_database "
            "WHERE status ILIKE '%allow%' GROUP BY ALL ORDER BY macs DESC LIMIT 50",
        ),
    ),
)
