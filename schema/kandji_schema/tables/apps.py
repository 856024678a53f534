"""Applications installed on every device of the fleet (Prism category apps)."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import Personal, boolean, extra, integer, text
from kandji_schema.prism import ALWAYS_NULL, DENORMALISED, PrismRow, category
from kandji_schema.resource import Ask, Fallback


class App(PrismRow, table=True):
    """One row per device and application found on it, helpers inside bundles included."""

    __tablename__ = "apps"

    name: str | None = text("Name of the application, such as Google Chrome.")
    bundle_id: str | None = text(
        "Bundle identifier, such as com.google.Chrome: picks one app whatever it is called. Empty for apps that only "
        "have a name.",
        key=True,
    )
    version: str | None = text("Version people see; compare with version_below(version, '14.6').")
    short_version: str | None = text("Short version string of the bundle.")
    path: str | None = text("Where it is installed; may hold a home folder's name.", key=True, personal=Personal.PATH)
    bundle_name: str | None = text("Bundle name.")
    bundle_display_name: str | None = text("Bundle display name.")
    bundle_type: str | None = text("Bundle type, usually APPL; of Windows the kind of package, such as AppxMsix.")
    bundle_region: str | None = text("Development region of the bundle.")
    bundle_size: int | None = integer("Size of the bundle in bytes (iOS).")
    dynamic_size: int | None = integer("Size of the app's data in bytes (iOS).")
    executable: str | None = text("Name of the executable.")
    obtained_from: str | None = text(
        "App Store, Identified Developer, Apple or unknown; of Android as it says itself, such as "
        "SYSTEM_APP_FACTORY_VERSION."
    )
    signature: str | None = text("Chain of signing authorities.")
    team_id: str | None = text("Team identifier of the signer.")
    developer_name: str | None = text("Developer's name.")
    copyright: str | None = text("Copyright line.")
    category: str | None = text("App Store category.")
    info: str | None = text("Info string of the bundle.")
    compiler: str | None = text("Compiler named by the bundle.")
    minimum_system_version: str | None = text("Oldest operating system it runs on.")
    environment_variables: str | None = text("Environment variables named by the bundle.", personal=Personal.FREE_TEXT)
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


_APPS_OF_A_DEVICE = Fallback(
    path="/api/v1/devices/{device_id}/apps",
    rows_at="apps",
    permission="Device apps",
    # Mac, iPhone, iPad and Apple TV send the first spelling, Windows and Android the others.
    names={
        "name": ("app_name", "display_name", "name"),
        "bundle_id": ("bundle_id", "product_code", "name", "package_name"),
        "version": ("version", "version_name"),
        "path": ("path", "installed_path"),
        "bundle_size": ("bundle_size",),
        "bundle_type": ("application_type",),
        "executable": ("process",),
        "obtained_from": ("source", "application_source"),
        "signature": ("signature",),
        "developer_name": ("publisher_display_name", "publisher"),
        "app_store_vendable": ("app_store_vendable",),
        "device_based_vpp": ("device_based_vpp",),
        # Not the app's own dates: when the provider first stored the row, and when it last did.
        "created_at": ("creation_date",),
        "updated_at": ("modification_date",),
    },
)

APPS = category(
    App,
    "apps",
    ttl=timedelta(minutes=30),
    platforms=(),
    key_fallback=("name",),
    fallback=_APPS_OF_A_DEVICE,
    ignored=DENORMALISED | ALWAYS_NULL | {"app_id"},  # app_id, of the fallback only, numbers rows and tells no app
    asks=(
        Ask(
            "How many devices have each version of an app",
            "SELECT version, count(DISTINCT device_id) AS devices FROM apps WHERE contains(folded(name), "
            "folded('zoom')) GROUP BY ALL ORDER BY devices DESC",
        ),
        Ask(
            "Which devices have an old one",
            "SELECT d.device_name, d.serial_number, a.version FROM apps AS a JOIN devices AS d USING "
            "(device_id) WHERE a.bundle_id = 'com.google.Chrome' AND version_below(a.version, '130')",
        ),
        Ask(
            "Which Macs lack an app",
            "SELECT device_name, serial_number FROM devices WHERE platform = 'Mac' AND device_id NOT IN "
            "(SELECT device_id FROM apps WHERE bundle_id = 'us.zoom.xos')",
        ),
    ),
)
