"""Automated Device Enrollment integrations."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, document, extra, integer, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class AdeIntegration(SQLModel, table=True):
    """One row per Automated Device Enrollment token of Apple Business Manager, with its expiry and last sync."""

    __tablename__ = "ade_integrations"

    id: str | None = text("Identifier of the token; ade_devices.dep_account_id joins to it.", key=True)
    server_name: str | None = text("Name of the MDM server at Apple.", samples=("acme.kandji.io", "acme-2"))
    server_uuid: str | None = text("UUID of the MDM server at Apple.")
    access_token_expiry: datetime | None = timestamp("When the token expires; without a new one no device enrols.")
    days_left: int | None = integer(
        "Days until then, as the provider counts them.", samples=(235, 31, 0), volatile=True
    )
    status: str | None = text("SUCCESS or BROKEN, by the last contact with Apple.", samples=("SUCCESS", "BROKEN"))
    status_reason: str | None = text("Why it is broken, such as FORBIDDEN.", samples=(None, "FORBIDDEN"))
    status_received_at: datetime | None = timestamp("When that became known.")
    last_device_sync: datetime | None = timestamp("When devices were last read from Apple.", volatile=True)
    device_count: int | None = integer("Devices assigned to the token.", source="device_counts.total", samples=(15, 0))
    device_counts: Any = document(
        "Devices by device family, as a JSON object with their sum as total.",
        safe_keys=("Android", "AppleTV", "Mac", "Vision", "Windows", "iPad", "iPhone", "total"),
        samples=({"Mac": 12, "iPad": 1, "iPhone": 1, "AppleTV": 1, "total": 15}, {"total": 0}),
    )
    blueprint_id: str | None = text(
        "Blueprint new devices get; joins to blueprints.id.", source="blueprint.id", references="blueprints.id"
    )
    blueprint_name: str | None = text("Name of that blueprint.", source="blueprint.name")
    blueprint_icon: str | None = text("Icon of that blueprint.", source="blueprint.icon", samples=("ss-files",))
    blueprint_color: str | None = text("Colour of that blueprint.", source="blueprint.color", samples=("aqua-800",))
    admin_id: str | None = text("Who made the token, an Apple account.", personal=Personal.IDENTITY)
    org_name: str | None = text("Organisation at Apple.", samples=("Acme",))
    org_email: str | None = text("Its e-mail address.", personal=Personal.IDENTITY)
    org_phone: str | None = text("Its phone number.", personal=Personal.IDENTITY)
    org_address: str | None = text("Its address.", personal=Personal.FREE_TEXT)
    org_type: str | None = text("Kind of organisation.", samples=("org",))
    stoken_file_name: str | None = text("Name of the token's file.", samples=("acme_Token_smime.p7m",))
    defaults_email: str | None = text(
        "E-mail address for support that devices show.", source="defaults.email", personal=Personal.IDENTITY
    )
    defaults_phone: str | None = text(
        "Phone number for support that devices show.", source="defaults.phone", personal=Personal.IDENTITY
    )
    extra: Any = extra()


ADE_INTEGRATIONS = Resource(
    model=AdeIntegration,
    path="/api/v1/integrations/apple/ade",
    paging=Paging.COUNT,
    page_size=0,  # its pages are numbered and always 300 long
    ttl=timedelta(minutes=60),
    permission="Automated Device Enrollment: list integrations",
    confirm="/api/v1/integrations/apple/ade/{id}",
    asks=(
        Ask(
            "Which tokens expire soon",
            "SELECT server_name, access_token_expiry, days_left FROM ade_integrations ORDER BY days_left",
        ),
    ),
)
