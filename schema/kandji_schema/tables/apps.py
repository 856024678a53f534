"""Applications installed on every device of the fleet (Prism category apps)."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, boolean, extra, integer, text
from kandji_schema.prism import PrismRow, category


class App(PrismRow, table=True):
    """One row per device and application found on it, helpers inside bundles included."""

    __tablename__ = "apps"

    name: str | None = text("Name of the application, such as Google Chrome.")
    bundle_id: str | None = text(
        "Bundle identifier, such as com.google.Chrome; the exact way to pick one app.", key=True
    )
    version: str | None = text("Version people see; compare with version_key(version).")
    short_version: str | None = text("Short version string of the bundle.")
    path: str | None = text(
        "Where it is installed; may hold a home folder's name.", key=True, personal=Personal.FREE_TEXT
    )
    bundle_name: str | None = text("Bundle name.")
    bundle_display_name: str | None = text("Bundle display name.")
    bundle_type: str | None = text("Bundle type, usually APPL.")
    bundle_region: str | None = text("Development region of the bundle.")
    bundle_size: int | None = integer("Size of the bundle in bytes (iOS).")
    dynamic_size: int | None = integer("Size of the app's data in bytes (iOS).")
    executable: str | None = text("Name of the executable.")
    obtained_from: str | None = text("App Store, Identified Developer, Apple or unknown.")
    signature: str | None = text("Chain of signing authorities.")
    team_id: str | None = text("Team identifier of the signer.")
    developer_name: str | None = text("Developer's name.")
    copyright: str | None = text("Copyright line.")
    category: str | None = text("App Store category.")
    info: str | None = text("Info string of the bundle.")
    compiler: str | None = text("Compiler named by the bundle.")
    minimum_system_version: str | None = text("Oldest operating system it runs on.")
    environment_variables: str | None = text("Environment variables named by the bundle.")
    external_version_identifier: str | None = text("App Store version identifier.")
    ad_hoc_code_signed: bool | None = boolean("Whether it is ad-hoc signed.")
    app_store_vendable: bool | None = boolean("Whether the App Store sells it.")
    beta_app: bool | None = boolean("Whether it is a beta.")
    device_based_vpp: bool | None = boolean("Whether it is licensed to the device.")
    download_canceled: bool | None = boolean("Whether its download was cancelled.")
    download_failed: bool | None = boolean("Whether its download failed.")
    download_paused: bool | None = boolean("Whether its download is paused.")
    download_waiting: bool | None = boolean("Whether its download waits.")
    has_update_available: bool | None = boolean("Whether an update is available.")
    installing: bool | None = boolean("Whether it is being installed.")
    app_clip: bool | None = boolean("Whether it is an App Clip.")
    validated: bool | None = boolean("Whether its profile is validated.")
    apple_scriptable: bool | None = boolean("Whether it can be scripted.")
    extra: Any = extra()


APPS = category(App, "apps", ttl=timedelta(minutes=30), platforms=(), key_fallback=("name",))
