"""Categories of Self Service."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import extra, text
from kandji_schema.resource import Ask, Paging, Resource


class SelfServiceCategory(SQLModel, table=True):
    """One row per category under which Self Service shows library items."""

    __tablename__ = "self_service_categories"

    id: str | None = text(
        "Identifier of the category; self_service_category_id of library items joins to it.", key=True
    )
    name: str | None = text("Name of the category.", samples=("Apps", "Productivity", "Utilities", "Security"))
    extra: Any = extra()


SELF_SERVICE_CATEGORIES = Resource(
    model=SelfServiceCategory,
    path="/api/v1/self-service/categories",
    paging=Paging.WHOLE,
    ttl=timedelta(minutes=30),
    permission="Self Service: list categories",
    asks=(
        Ask(
            "Which categories are there",
            "SELECT name FROM self_service_categories ORDER BY name",
        ),
    ),
)
