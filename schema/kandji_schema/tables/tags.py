"""Tags."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import extra, text
from kandji_schema.resource import Ask, Paging, Resource


class Tag(SQLModel, table=True):
    """One row per tag that devices can carry; devices.tags holds the names."""

    __tablename__ = "tags"

    id: str | None = text("Identifier of the tag.", key=True)
    name: str | None = text("Name of the tag, as it stands in devices.tags.")
    extra: Any = extra()


TAGS = Resource(
    model=Tag,
    path="/api/v1/tags",
    paging=Paging.COUNT,
    ttl=timedelta(minutes=30),
    permission="Tags: list",
    asks=(
        Ask(
            "How many devices carry each tag",
            "SELECT t.name, count(d.device_id) AS devices FROM tags AS t LEFT JOIN devices AS d ON "
            "list_contains(d.tags, t.name) GROUP BY ALL ORDER BY devices DESC",
        ),
    ),
)
