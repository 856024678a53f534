"""Installed configuration profiles."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, boolean, document, extra, text
from kandji_schema.prism import APPLE, PrismRow, category
from kandji_schema.resource import Ask


class PrismInstalledProfile(PrismRow, table=True):
    """One row per Apple device and configuration profile installed on it, by MDM or by hand."""

    __tablename__ = "prism_installed_profiles"

    profile_display_name: str | None = text(
        "Name people see.", samples=("MDM Profile", "Kandji Agent Settings", "Wi-Fi", "Passcode", "Software Update")
    )
    payload_identifier: str | None = text(
        "Identifier of the profile; the same profile has the same one on every device.",
        samples=("com.kandji.profile.mdmprofile", "com.kandji.profile.pppc", "com.kandji.profile.wifi"),
        references="custom_profiles.mdm_identifier",
    )
    payload_uuid: str | None = text(
        "UUID of the profile, as text.",
        key=True,
        samples=(
            "35fec4f0-88f4-41c5-b3c1-e6da3f0f592d",
            "1cbbbb6e-f8cc-41d7-bd1c-aa83b962a915",
            "e9643534-3ef3-5b97-84be-779edbca63bf",
            "351c9f76-defa-5fbe-91d3-c9aefe787453",
            "3e350947-74f1-5d73-bb70-abb7ea9af6c1",
            "8a545c11-80f0-5721-b973-88f19bebbaa0",
        ),
    )
    profile_description: str | None = text(
        "Description.", personal=Personal.FREE_TEXT, samples=(None, None, "Settings of the company network.")
    )
    organization: str | None = text("Organisation that made it.", samples=("Kandji, Inc.", "Kandji, Inc.", "Acme"))
    removal_passcode: bool | None = boolean("Whether removing it takes a passcode.", samples=(False, False, True))
    encrypted: bool | None = boolean("Whether it is encrypted.", samples=(False, True))
    managed: bool | None = boolean(
        "Whether MDM installed it; false for what someone put there by hand.", samples=(True,) * 9 + (False,)
    )
    removable: bool | None = boolean("Whether the person can remove it.", samples=(False,) * 4 + (True,))
    signed: bool | None = boolean("Whether it is signed.", samples=(True, True, False))
    profile_data: Any = document(
        "Payloads of it: a JSON list of objects (type, uuid, version, identifier, display_name, organization).",
        safe_keys=("display_name", "identifier", "organization", "type", "uuid", "version"),
        samples=(
            [
                {
                    "type": "com.apple.wifi.managed",
                    "uuid": "42085371-8d8c-5fa1-a4c0-0d63a7b93753",
                    "version": 1,
                    "identifier": "com.kandji.profile.wifi.com.apple.wifi.managed",
                    "display_name": "Wi-Fi",
                    "organization": "Kandji, Inc.",
                }
            ],
            [],
        ),
    )
    extra: Any = extra()


PRISM_INSTALLED_PROFILES = category(
    PrismInstalledProfile,
    "installed_profiles",
    ttl=timedelta(hours=6),
    platforms=APPLE,
    asks=(
        Ask(
            "Which devices have a profile",
            "SELECT d.device_name, d.serial_number, p.profile_display_name FROM prism_installed_profiles AS p"
            " JOIN devices AS d USING (device_id) WHERE contains(folded(p.profile_display_name), "
            "folded('wifi'))",
        ),
        Ask(
            "Which profiles were installed by hand",
            "SELECT profile_display_name, organization, count(*) AS devices FROM prism_installed_profiles "
            "WHERE NOT managed GROUP BY ALL ORDER BY devices DESC",
        ),
    ),
)
