"""CISA's catalogue of known exploited vulnerabilities: one list, whose rows are taken as they are."""

from collections.abc import Mapping
from typing import Any

from kandji_mirror.feeds.rows import FeedRows, moment_of
from kandji_schema.errors import Suspicious

TABLE = "known_exploited_vulnerabilities"
_KNOWN = frozenset({"title", "catalogVersion", "dateReleased", "count", "vulnerabilities"})
_RANSOMWARE = {"Known": True, "Unknown": None}


def rows_of(document: Mapping[str, Any], _name: str) -> FeedRows:
    """Return the rows of the catalogue; :class:`Suspicious` for an empty one and one that lacks rows it counts."""
    found = FeedRows({TABLE: []}, moment_of(document.get("dateReleased")))
    found.note_unknown(document, _KNOWN)
    for row in found.objects(TABLE, document.get("vulnerabilities")):
        used = row.get("knownRansomwareCampaignUse")
        said = _RANSOMWARE.get(used, used) if isinstance(used, str) else used
        found.tables[TABLE].append({**row, "knownRansomwareCampaignUse": said})
    count, rows = document.get("count"), len(found.tables[TABLE]) + found.odd[TABLE]
    if not found.tables[TABLE]:
        raise Suspicious("The catalogue has no vulnerability.")
    if isinstance(count, int) and count > rows:
        raise Suspicious(f"The catalogue counts {count:,} vulnerabilities and has {rows:,}: it was cut.")
    return found
