"""People of the tenant's directory integrations."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import Names, Personal, boolean, extra, integer, text, timestamp
from kandji_schema.resource import Ask, Paging, Resource


class User(SQLModel, table=True):
    """One row per person known to the tenant, archived ones included."""

    __tablename__ = "users"

    id: str | None = text("Identifier of the user; devices.user_id joins to it.", key=True, personal=Personal.IDENTITY)
    deprecated_user_id: str | None = text(
        "The old numeric id as text, which Prism still uses (prism_device_information.device_user_id).",
        personal=Personal.IDENTITY,
    )
    name: str | None = text("Name.", personal=Personal.IDENTITY, names=Names.FULL_NAME)
    email: str | None = text("E-mail address.", personal=Personal.IDENTITY, names=Names.ADDRESS)
    active: bool | None = boolean("Whether the user is active in the directory.")
    archived: bool | None = boolean("Whether the user is archived.")
    department: str | None = text("Department.")
    job_title: str | None = text("Job title; of some it tells who they are.", personal=Personal.IDENTITY)
    device_count: int | None = integer("Devices assigned to the user, as the provider counts them.")
    integration_id: int | None = integer("Directory integration the user came from.", source="integration.id")
    integration_name: str | None = text("Name of that integration.", source="integration.name")
    integration_uuid: str | None = text("UUID of that integration.", source="integration.uuid")
    integration_type: str | None = text("Its kind, such as office365.", source="integration.type")
    created_at: datetime | None = timestamp("When the user was imported.")
    updated_at: datetime | None = timestamp("When the user last changed.")
    extra: Any = extra()


USERS = Resource(
    model=User,
    path="/api/v1/users",
    paging=Paging.CURSOR,
    page_size=0,
    ttl=timedelta(minutes=60),
    permission="Users: list",
    confirm="/api/v1/users/{id}",
    asks=(
        Ask(
            "Who has a department, with how many devices",
            "SELECT department, count(*) AS people, sum(device_count) AS devices FROM users WHERE NOT "
            "archived GROUP BY ALL ORDER BY people DESC",
        ),
        Ask(
            "Which devices are a department's",
            "SELECT u.name, d.device_name, d.serial_number FROM users AS u JOIN devices AS d ON d.user_id = "
            "u.id WHERE u.department ILIKE '%sales%'",
        ),
    ),
)
