"""Custom scripts of the library."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, boolean, extra, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class CustomScript(SQLModel, table=True):
    """One row per custom script of the library."""

    __tablename__ = "custom_scripts"

    id: str | None = text(
        "Identifier of the library item; blueprint_library_items.id joins to it.",
        key=True,
        references="blueprint_library_items.id",
    )
    name: str | None = text("Name of the library item.", samples=("Rename Mac", "Install Rosetta", "Clear caches"))
    active: bool | None = boolean("Whether it is active.", samples=(True, True, False))
    execution_frequency: str | None = text(
        "once, every_15_min, every_day or no_enforcement (only from Self Service).",
        samples=("once", "every_15_min", "every_day", "no_enforcement"),
    )
    restart: bool | None = boolean("Whether the Mac restarts after it.", samples=(False, False, True))
    script: str | None = text(
        "The script.", personal=Personal.FREE_TEXT, samples=('#!/bin/zsh\necho "Hello World!"', "#!/bin/zsh\nexit 0")
    )
    remediation_script: str | None = text(
        "Script that runs where the first one fails.", personal=Personal.FREE_TEXT, samples=("", "#!/bin/zsh\nexit 0")
    )
    show_in_self_service: bool | None = boolean("Whether Self Service shows it.", samples=(False, True, None))
    self_service_category_id: str | None = text(
        "Category there; joins to self_service_categories.id.", references="self_service_categories.id"
    )
    self_service_recommended: bool | None = boolean("Whether Self Service recommends it.", samples=(None, False, True))
    created_at: datetime | None = timestamp("When the library item was made.")
    updated_at: datetime | None = timestamp("When it was last edited.")
    extra: Any = extra()


CUSTOM_SCRIPTS = Resource(
    model=CustomScript,
    path="/api/v1/library/custom-scripts",
    paging=Paging.COUNT,
    page_size=0,  # its pages are numbered and always 300 long
    ttl=timedelta(minutes=30),
    permission="Custom scripts: list",
    confirm="/api/v1/library/custom-scripts/{id}",
    asks=(
        Ask(
            "Which scripts run, how often",
            "SELECT name, execution_frequency, updated_at FROM custom_scripts WHERE active",
        ),
    ),
)
