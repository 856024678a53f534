"""Releases of Apple's operating systems."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import extra, integer, text, texts, timestamp
from kandji_schema.resource import Ask, feed_table


class OsRelease(SQLModel, table=True):
    """One row per release of macOS, and of iOS with iPadOS, as a public feed tells of them."""

    __tablename__ = "os_releases"

    os: str | None = text("macOS, or iOS, which stands for iPadOS too.", key=True)
    version: str | None = text(
        "Version, such as 26.3.1; compare with version_below(version, '26.4').", key=True, source="ProductVersion"
    )
    version_extra: str | None = text(
        "Of a background security improvement or rapid response what stands after the version, such as (a); else NULL.",
        key=True,
        source="VersionExtra",
    )
    build: str | None = text("Build; NULL where the feed names none, as of older ones.", key=True, source="Build")
    ordinal: int | None = integer(
        "Number within releases of the same version and build, from 1: the feed lists some twice.", key=True
    )
    builds: list[str] | None = texts("All builds of it; NULL where the feed names none.", source="AllBuilds")
    name: str | None = text("Name, such as macOS Tahoe 26.6.2.", source="UpdateName")
    major: str | None = text("Major version, such as 26.")
    major_name: str | None = text("Name of the major version, such as Tahoe; NULL for iOS.")
    release_date: datetime | None = timestamp(
        "Day it was released, as the feed says; some are wrong.", source="ReleaseDate"
    )
    expiration_date: datetime | None = timestamp(
        "Day until which Apple offers it, as the feed says; NULL where it says none.", source="ExpirationDate"
    )
    release_type: str | None = text("OS, or BSI for a background security improvement.", source="ReleaseType")
    scope: str | None = text("universal, or device-specific: for a few models only.", source="DeviceScope")
    supported_models: list[str] | None = texts(
        "Model identifiers it is for, such as Mac14,2; NULL where the feed names none: then every model that can run "
        "the major version. What the feed has as numbers of boards is told as models, all of the same marketing name.",
        source="SupportedDevices",
    )
    prerequisite_build: str | None = text(
        "Build that it is put on; of background improvements.", source="PrerequisiteBuild"
    )
    cve_count: int | None = integer("Number of CVEs it fixes, as the feed says.", source="UniqueCVEsCount")
    exploited_count: int | None = integer("How many of them were exploited; NULL where the feed does not say.")
    exploited_cves: list[str] | None = texts("Those that were exploited.", source="ActivelyExploitedCVEs")
    security_page: str | None = text("Apple's page about its security content.", source="SecurityInfo")
    days_since_previous: int | None = integer(
        "Days since the release before it, as the feed says.", source="DaysSincePreviousRelease"
    )
    extra: Any = extra()


OS_RELEASES = feed_table(
    OsRelease,
    ttl=timedelta(hours=6),
    repeats=True,
    ignored=frozenset(
        {
            *("ProductName", "SecurityInfoContext", "UpdateSummary"),
            *("SupersededBy", "MergedInto", "DocumentationID", "PrerequisiteVersion"),
        }
    ),
    why="The feed names some releases twice, of other days or builds: each is a row. Dates are kept as the feed has "
    "them.",
    asks=(
        Ask(
            "What came out lately",
            "SELECT name, release_date, cve_count, exploited_count FROM os_releases WHERE release_date > "
            "now() - INTERVAL 60 DAY ORDER BY release_date DESC",
        ),
    ),
)
