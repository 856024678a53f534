"""Custom profiles of the library."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, boolean, extra, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class CustomProfile(SQLModel, table=True):
    """One row per custom profile of the library: a configuration profile that the tenant uploaded."""

    __tablename__ = "custom_profiles"

    id: str | None = text(
        "Identifier of the library item; blueprint_library_items.id joins to it.",
        key=True,
        references="blueprint_library_items.id",
    )
    name: str | None = text("Name of the library item.", samples=("Wi-Fi Berlin", "Dock", "SSO extension"))
    active: bool | None = boolean("Whether it is active.", samples=(True, True, False))
    mdm_identifier: str | None = text(
        "Identifier on devices; prism_installed_profiles.payload_identifier joins to it.",
        samples=("com.kandji.profile.custom.a403f056-b1ec-4053-a79d-72ad2fe92485",),
    )
    profile: str | None = text(
        "The profile itself, XML.",
        personal=Personal.FREE_TEXT,
        samples=('<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict/></plist>',),
    )
    runs_on_mac: bool | None = boolean("Whether it is for Macs.", samples=(True, True, False))
    runs_on_iphone: bool | None = boolean("Whether it is for iPhones.", samples=(False, True))
    runs_on_ipad: bool | None = boolean("Whether it is for iPads.", samples=(False, True))
    runs_on_tv: bool | None = boolean("Whether it is for Apple TVs.", samples=(False,))
    runs_on_vision: bool | None = boolean("Whether it is for Apple Vision.", samples=(False, None))
    runs_on_android: bool | None = boolean(
        "Whether it is for Android devices; only newer tenants say.", samples=(None,)
    )
    runs_on_windows: bool | None = boolean(
        "Whether it is for Windows devices; only newer tenants say.", samples=(None,)
    )
    created_at: datetime | None = timestamp("When the library item was made.")
    updated_at: datetime | None = timestamp("When it was last edited.")
    extra: Any = extra()


CUSTOM_PROFILES = Resource(
    model=CustomProfile,
    path="/api/v1/library/custom-profiles",
    paging=Paging.COUNT,
    page_size=0,  # its pages are numbered and always 300 long
    ttl=timedelta(minutes=30),
    permission="Custom profiles: list",
    confirm="/api/v1/library/custom-profiles/{id}",
    asks=(
        Ask(
            "Which profiles are for iPhones",
            "SELECT name, mdm_identifier FROM custom_profiles WHERE active AND runs_on_iphone",
        ),
    ),
)
