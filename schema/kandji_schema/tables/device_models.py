"""Models of Apple's devices."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import extra, text, texts
from kandji_schema.resource import Ask, feed_table


class DeviceModel(SQLModel, table=True):
    """One row per model of Mac, iPhone or iPad that a public feed knows, with the versions it can run."""

    __tablename__ = "device_models"

    model_identifier: str | None = text("Apple's model identifier, such as Mac14,2.", key=True)
    os: str | None = text("macOS, or iOS, which stands for iPadOS too.")
    marketing_name: str | None = text("What it was sold as.", source="MarketingName")
    majors: list[str] | None = texts(
        "Major versions it can run, the newest first, such as ['26', '15']; NULL where the feed names none."
    )
    newest_major: str | None = text("The newest of them.")
    newest_version: str | None = text(
        "The newest release it can run by the feed, of any major version; background improvements do not count."
    )
    extra: Any = extra()


DEVICE_MODELS = feed_table(
    DeviceModel,
    ttl=timedelta(hours=6),
    ignored=frozenset({"SupportedOS", "OSVersions", "DeviceID"}),
    asks=(
        Ask(
            "Which models cannot run the newest macOS",
            "SELECT model_identifier, marketing_name, newest_version FROM device_models WHERE os = 'macOS' AND "
            "newest_major <> (SELECT max(newest_major) FROM device_models WHERE os = 'macOS') ORDER BY ALL",
        ),
    ),
)
