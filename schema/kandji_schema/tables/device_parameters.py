"""State of parameters on every Mac."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import extra, text
from kandji_schema.prism import MAC
from kandji_schema.resource import Ask, Paging, Resource


class DeviceParameter(SQLModel, table=True):
    """One row per Mac and parameter of its blueprint: whether the Mac obeys it."""

    __tablename__ = "device_parameters"

    device_id: str | None = text("Device; joins to devices.device_id.", key=True, references="devices.device_id")
    item_id: str | None = text(
        "Parameter; a key of blueprints.params.",
        key=True,
        samples=(
            "1e4be748-e072-4c1f-b1ff-a98f076b8e8e",
            "35cf2b0e-9a2b-4e55-8f3e-3f9f7f6c1a10",
            "b0a1e2f6-5f0c-4a58-9a54-0f5a2a3a8c77",
        ),
    )
    name: str | None = text(
        "Name of the parameter.", samples=('Disable the "root" user', "Enable the firewall", "Set the screen lock")
    )
    category: str | None = text("Category.", samples=("User Accounts & Authentication", "Network", "Security"))
    subcategory: str | None = text("Subcategory.", samples=("User Accounts", "Firewall", "Screen Lock"))
    status: str | None = text(
        "PASS, REMEDIATED (was wrong, is right again), WARNING, ERROR, PENDING or INCOMPATIBLE.",
        samples=("PASS",) * 12 + ("REMEDIATED", "REMEDIATED", "WARNING", "ERROR", "PENDING", "INCOMPATIBLE"),
    )
    extra: Any = extra()


DEVICE_PARAMETERS = Resource(
    model=DeviceParameter,
    path="/api/v1/devices/{device_id}/status",
    rows_at="parameters",
    parent="devices",
    parent_key={"device_id": "device_id"},
    paging=Paging.WHOLE,
    swept=True,
    ttl=timedelta(hours=24),
    permission="Device status",
    platforms=MAC,
    asks=(
        Ask(
            "Which parameters are not met most often",
            "SELECT name, status, count(*) AS macs FROM device_parameters GROUP BY ALL ORDER BY macs DESC",
        ),
    ),
)
