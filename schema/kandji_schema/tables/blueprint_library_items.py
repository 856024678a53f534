"""Library items assigned to each blueprint."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import extra, text
from kandji_schema.resource import Ask, Paging, Resource


class BlueprintLibraryItem(SQLModel, table=True):
    """One row per blueprint and library item assigned to it."""

    __tablename__ = "blueprint_library_items"

    blueprint_id: str | None = text("Blueprint; joins to blueprints.id.", key=True, references="blueprints.id")
    id: str | None = text("Identifier of the library item.", key=True)
    name: str | None = text("Name of the library item.")
    extra: Any = extra()


BLUEPRINT_LIBRARY_ITEMS = Resource(
    model=BlueprintLibraryItem,
    path="/api/v1/blueprints/{blueprint_id}/list-library-items",
    parent="blueprints",
    parent_key={"blueprint_id": "id"},
    paging=Paging.COUNT,
    ttl=timedelta(minutes=30),
    permission="Blueprint: list library items",
    asks=(
        Ask(
            "What is in a blueprint",
            "SELECT b.name AS blueprint, i.name AS item FROM blueprint_library_items AS i JOIN blueprints AS "
            "b ON b.id = i.blueprint_id ORDER BY ALL",
        ),
    ),
)
