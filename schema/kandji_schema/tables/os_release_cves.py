"""Vulnerabilities that releases of Apple's operating systems fix."""

from datetime import timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import boolean, extra, text
from kandji_schema.resource import Ask, feed_table


class OsReleaseCve(SQLModel, table=True):
    """One row per release of macOS or iOS and CVE that it fixes, as a public feed tells of them."""

    __tablename__ = "os_release_cves"

    os: str | None = text("macOS, or iOS, which stands for iPadOS too.", key=True)
    version: str | None = text("Version; joins to os_releases with os.", key=True, source="ProductVersion")
    version_extra: str | None = text("As in os_releases.", key=True, source="VersionExtra")
    build: str | None = text("As in os_releases.", key=True, source="Build")
    cve_id: str | None = text("CVE number.", key=True, references="vulnerabilities.cve_id")
    exploited: bool | None = boolean(
        "Whether the feed says that it was exploited; NULL where it says nothing.", source="ActivelyExploited"
    )
    in_kev: bool | None = boolean(
        "Whether the feed says that it is in CISA's catalogue; NULL where it says nothing. The catalogue itself is "
        "known_exploited_vulnerabilities.",
        source="InKEV",
    )
    severity: str | None = text("Critical, High, Medium or Low, where the feed says.", source="Severity", unsent=True)
    component: str | None = text("Part of the system it is in, where the feed says.", source="Component", unsent=True)
    impact: str | None = text("What it lets happen, where the feed says.", source="Impact", unsent=True)
    extra: Any = extra()


OS_RELEASE_CVES = feed_table(
    OsReleaseCve,
    ttl=timedelta(hours=6),
    ignored=frozenset({"NISTURL"}),
    asks=(
        Ask(
            "Which release fixes a CVE",
            "SELECT os, version, exploited FROM os_release_cves WHERE cve_id = 'CVE-2025-43300' ORDER BY os, version",
        ),
    ),
)
