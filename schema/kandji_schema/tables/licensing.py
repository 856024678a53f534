"""Licences and their use."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import boolean, extra, integer, text
from kandji_schema.resource import Ask, Paging, Resource


class Licensing(SQLModel, table=True):
    """One row per licence plan, of which a tenant has one: devices it allows, and devices there are."""

    __tablename__ = "licensing"

    plan_type: str | None = text(
        "Kind of plan, such as single_limit.", source="limits.", key=True, samples=("single_limit",)
    )
    max_devices: int | None = integer("Devices the plan allows in all.", source="limits.", samples=(500,))
    max_macos: int | None = integer(
        "Macs the plan allows; 0 where only the sum is limited.",
        source="limits.max_devices_per_platform.macos",
        samples=(0,),
    )
    max_ios_ipados: int | None = integer(
        "iPhones and iPads the plan allows; 0 where only the sum is limited.",
        source="limits.max_devices_per_platform.ios_ipados",
        samples=(0,),
    )
    over_license_limit: bool | None = boolean(
        "Whether there are more devices than licences.", source="tenantOverLicenseLimit", samples=(False,)
    )
    computers_count: int | None = integer("Devices of all platforms.", source="counts.")
    macos_count: int | None = integer("Macs.", source="counts.")
    ios_count: int | None = integer("iPhones.", source="counts.")
    ipados_count: int | None = integer("iPads.", source="counts.")
    tvos_count: int | None = integer("Apple TVs.", source="counts.")
    extra: Any = extra()


LICENSING = Resource(
    model=Licensing,
    path="/api/v1/settings/licensing",
    paging=Paging.WHOLE,
    ttl=timedelta(minutes=30),
    permission="Licensing",
    asks=(
        Ask(
            "How many licences are left",
            "SELECT plan_type, max_devices, computers_count, max_devices - computers_count AS left_over FROM licensing",
        ),
    ),
)
