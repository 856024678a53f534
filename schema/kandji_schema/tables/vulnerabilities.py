"""Known vulnerabilities in the fleet."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import SQLModel

from kandji_schema.columns import extra, integer, number, text, texts, timestamp
from kandji_schema.resource import Ask, Paging, Resource

_CVES = ("CVE-2024-24795", "CVE-2024-27834", "CVE-2025-24085", "CVE-2025-4664", "CVE-2023-4863", "CVE-2022-37434")


class Vulnerability(SQLModel, table=True):
    """One row per vulnerability found on some device of the fleet."""

    __tablename__ = "vulnerabilities"

    cve_id: str | None = text("CVE number; vulnerability_detections.cve_id joins to it.", key=True, samples=_CVES)
    severity: str | None = text("Low, Medium, High or Critical.", samples=("Low", "Medium", "High", "Critical"))
    cvss_score: float | None = number("CVSS score, 0 to 10.", samples=(3.2, 5.5, 7.5, 9.8))
    kev_score: float | None = number(
        "1 where it is known to be exploited (the KEV catalogue), else 0.", samples=(0, 0, 1)
    )
    status: str | None = text("Active, or as the provider calls it.", samples=("Active",))
    device_count: int | None = integer("Devices it was found on.", samples=(1, 3, 40))
    software: list[str] | None = texts(
        "Software it was found in.", samples=(["macOS 12 Monterey"], ["Google Chrome", "Microsoft Edge"])
    )
    first_detection_date: datetime | None = timestamp("When it was first found.")
    latest_detection_date: datetime | None = timestamp("When it was last found.")
    cve_link: str | None = text("Page that describes it.", samples=("https://nvd.nist.gov/vuln/detail/CVE-2024-24795",))
    extra: Any = extra()


VULNERABILITIES = Resource(
    model=Vulnerability,
    path="/api/v1/vulnerability-management/vulnerabilities",
    paging=Paging.PAGE,
    page_size=50,  # the most this endpoint allows
    ttl=timedelta(hours=6),
    permission="Vulnerability management: list vulnerabilities",
    licensed=True,
    asks=(
        Ask(
            "Which are critical and known to be exploited",
            "SELECT cve_id, cvss_score, kev_score, device_count, software FROM vulnerabilities WHERE severity"
            " ILIKE 'critical' ORDER BY cvss_score DESC",
        ),
    ),
)
