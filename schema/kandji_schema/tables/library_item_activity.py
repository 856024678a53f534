"""What was done with library items."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Personal, document, extra, integer, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class LibraryItemActivity(SQLModel, table=True):
    """One row per event of a library item that is in a blueprint: created, edited, assigned. Only ever added to."""

    __tablename__ = "library_item_activity"

    item_id: str | None = text(
        "Library item; joins to blueprint_library_items.id.", key=True, references="blueprint_library_items.id"
    )
    id: int | None = integer("Number of the event at the provider.", key=True)
    activity_time: datetime | None = timestamp("When it happened.")
    activity_type: str | None = text(
        "What happened, as the provider calls it.",
        samples=("library_item_assignment_changed", "library_item_edited", "library_item_created"),
    )
    user_id: str | None = text("Who did it; joins to users.id.", personal=Personal.IDENTITY, references="users.id")
    user_email: str | None = text("E-mail address of that person.", personal=Personal.IDENTITY)
    details: Any = document(
        "What was changed, as a JSON list of texts such as “Name: old → new”.",
        personal=Personal.FREE_TEXT,
        samples=(None, ["Name: test_custom_app → ms_company_portal"]),
    )
    extra: Any = extra()


LIBRARY_ITEM_ACTIVITY = Resource(
    model=LibraryItemActivity,
    path="/api/v1/library/library-items/{item_id}/activity",
    parent="blueprint_library_items",
    parent_key={"item_id": "id"},
    paging=Paging.COUNT,
    newest_first=True,
    ttl=timedelta(hours=6),
    permission="Library items: activity",
    asks=(
        Ask(
            "Who changed a library item",
            "SELECT activity_time, activity_type, user_email, item_id FROM library_item_activity ORDER BY "
            "activity_time DESC LIMIT 50",
        ),
    ),
)
