"""In-house apps (.ipa) of the library."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import boolean, extra, integer, text, texts, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class InHouseApp(SQLModel, table=True):
    """One row per in-house app of the library: an .ipa that the tenant uploaded."""

    __tablename__ = "in_house_apps"

    id: str | None = text(
        "Identifier of the library item; blueprint_library_items.id joins to it.",
        key=True,
        references="blueprint_library_items.id",
    )
    name: str | None = text("Name of the library item.", samples=("Acme Field 1.0.1", "Acme Kiosk 2.3"))
    active: bool | None = boolean("Whether it is active.", samples=(True, True, False))
    identifier: str | None = text("Bundle identifier of the app.", samples=("com.example.field", "com.example.kiosk"))
    app_identifier: str | None = text(
        "Bundle identifier again, as read from the file.", samples=("com.example.field", "com.example.kiosk")
    )
    app_name: str | None = text("Name of the app.", samples=("Acme Field", "Acme Kiosk"))
    app_version: str | None = text(
        "Version of the app; compare with version_below(app_version, '14.6').", samples=("1.0.1", "2.3")
    )
    supported_device_families: list[str] | None = texts(
        "iPhone, iPad and so on.", samples=(["iPhone", "iPad"], ["iPad"])
    )
    minimum_os_version: str | None = text("Oldest operating system it runs on.", samples=("17.5", "16.0"))
    runs_on_iphone: bool | None = boolean("Whether it is for iPhones.", samples=(True, False))
    runs_on_ipad: bool | None = boolean("Whether it is for iPads.", samples=(True, False))
    runs_on_tv: bool | None = boolean("Whether it is for Apple TVs.", samples=(False,))
    runs_on_mac: bool | None = boolean("Whether it is for Macs.", samples=(False, False, True))
    runs_on_ipod: bool | None = boolean("Whether it is for iPods.", samples=(False,))
    runs_on_watch: bool | None = boolean("Whether it is for Apple Watches.", samples=(False,))
    icon: str | None = text("Name of its icon in the provider's storage.")
    ipad_icon: str | None = text("Name of its iPad icon in the provider's storage.")
    file_key: str | None = text("Name of the file in the provider's storage.")
    file_size: int | None = integer("Size of the file in bytes.", samples=(2_191_516, 48_000_000))
    file_updated: datetime | None = timestamp("When the file was uploaded.")
    sha256: str | None = text("SHA-256 of the file, in hexadecimal.")
    created_at: datetime | None = timestamp("When the library item was made.")
    updated_at: datetime | None = timestamp("When it was last edited.")
    extra: Any = extra()


IN_HOUSE_APPS = Resource(
    model=InHouseApp,
    path="/api/v1/library/ipa-apps",
    paging=Paging.COUNT,
    ttl=timedelta(minutes=30),
    permission="In-house apps: list",
    confirm="/api/v1/library/ipa-apps/{id}",
    ignored=frozenset({"file_url"}),  # a signed link, another one in every answer
    asks=(
        Ask(
            "Which in-house apps are there",
            "SELECT name, app_version, identifier, active FROM in_house_apps",
        ),
    ),
)
