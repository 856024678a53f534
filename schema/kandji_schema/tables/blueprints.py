"""Blueprints."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, boolean, document, extra, integer, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class Blueprint(SQLModel, table=True):
    """One row per blueprint: the set of library items and parameters a device gets."""

    __tablename__ = "blueprints"

    id: str | None = text("Identifier of the blueprint; devices.blueprint_id joins to it.", key=True)
    name: str | None = text("Name of the blueprint.")
    description: str | None = text("Description.", personal=Personal.FREE_TEXT)
    icon: str | None = text("Name of the icon.")
    color: str | None = text("Name of the colour.")
    type: str | None = text("classic, or map for an Assignment Map.")
    computers_count: int | None = integer("Devices in it, as the provider counts them.")
    missing_computers_count: int | None = integer("Devices in it that are missing, as the provider counts them.")
    enrollment_code: str | None = text(
        "Code of the enrolment portal, text.", source=("enrollment_code.code", "enrollment_code")
    )
    enrollment_code_is_active: bool | None = boolean(
        "Whether that code works.", source=("enrollment_code.is_active", "enrollment_code_is_active")
    )
    params: Any = document(
        "Parameters of the blueprint by their id, as JSON; texts shown to people are among them.",
        personal=Personal.FREE_TEXT,
    )
    created_at: datetime | None = timestamp("When it was made.")
    updated_at: datetime | None = timestamp("When it was last edited.")
    extra: Any = extra()


BLUEPRINTS = Resource(
    model=Blueprint,
    path="/api/v1/blueprints",
    paging=Paging.COUNT,
    page_size=1_000,  # the one list that allows more than 300
    ttl=timedelta(minutes=30),
    permission="Blueprint list",
    tracked=True,
    confirm="/api/v1/blueprints/{id}",
    asks=(
        Ask(
            "How many devices has each blueprint",
            "SELECT b.name, count(d.device_id) AS devices FROM blueprints AS b LEFT JOIN devices AS d ON "
            "d.blueprint_id = b.id GROUP BY ALL ORDER BY devices DESC",
        ),
    ),
)
