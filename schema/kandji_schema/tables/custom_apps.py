"""Custom apps of the library."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, boolean, extra, integer, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class CustomApp(SQLModel, table=True):
    """One row per custom app of the library: a package, image or archive that the tenant uploaded."""

    __tablename__ = "custom_apps"

    id: str | None = text(
        "Identifier of the library item; blueprint_library_items.id joins to it.",
        key=True,
        references="blueprint_library_items.id",
    )
    name: str | None = text("Name of the library item.", samples=("Acme VPN", "Company Portal", "Printer Drivers"))
    active: bool | None = boolean("Whether it is active.", samples=(True, True, True, False))
    install_type: str | None = text("package, zip or image.", samples=("package", "zip", "image"))
    install_enforcement: str | None = text(
        "install_once, continuously_enforce or no_enforcement.",
        samples=("install_once", "continuously_enforce", "no_enforcement"),
    )
    restart: bool | None = boolean("Whether the Mac restarts after it.", samples=(False, False, True))
    audit_script: str | None = text("Script that says whether it is installed.", personal=Personal.FREE_TEXT)
    preinstall_script: str | None = text("Script that runs before.", personal=Personal.FREE_TEXT)
    postinstall_script: str | None = text("Script that runs after.", personal=Personal.FREE_TEXT)
    unzip_location: str | None = text(
        "Folder an archive is unpacked to.", personal=Personal.PATH, samples=("/Applications", None)
    )
    show_in_self_service: bool | None = boolean("Whether Self Service shows it.", samples=(True, False))
    self_service_category_id: str | None = text(
        "Category there; joins to self_service_categories.id.", references="self_service_categories.id"
    )
    self_service_recommended: bool | None = boolean("Whether Self Service recommends it.", samples=(None, False, True))
    file_key: str | None = text("Name of the file in the provider's storage.")
    file_size: int | None = integer("Size of the file in bytes.", samples=(42_375_997, 1_048_576))
    file_updated: datetime | None = timestamp("When the file was uploaded.")
    sha256: str | None = text("SHA-256 of the file, in hexadecimal; empty for older uploads.")
    created_at: datetime | None = timestamp("When the library item was made.")
    updated_at: datetime | None = timestamp("When it was last edited.")
    extra: Any = extra()


CUSTOM_APPS = Resource(
    model=CustomApp,
    path="/api/v1/library/custom-apps",
    paging=Paging.COUNT,
    ttl=timedelta(minutes=30),
    permission="Custom apps: list",
    confirm="/api/v1/library/custom-apps/{id}",
    ignored=frozenset({"file_url"}),  # a signed link, another one in every answer
    asks=(
        Ask(
            "Which custom apps are switched off",
            "SELECT name, install_enforcement, updated_at FROM custom_apps WHERE NOT active",
        ),
    ),
)
