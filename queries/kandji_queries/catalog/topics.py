"""What a named query is about, by the words of its name: people look through topics, not through an alphabet."""

from collections.abc import Iterable, Mapping

from kandji_queries.catalog.queries import NamedQuery

DEVICES = "Devices"
"""What every query is about that no other topic has."""

WORDS: Mapping[str, frozenset[str]] = {
    topic: frozenset(words.split())
    for topic, words in {
        "Vulnerabilities and threats": "cve cves vulnerability vulnerabilities threats detections risky exploited",
        "Updates": "patch behind release supported",
        "Compliance": "compliance noncompliant compliant parameters rule rules",
        "Apps and extensions": "app apps extension extensions launch privacy software",
        "Security settings": (
            "posture filevault encryption firewall gatekeeper sip xprotect escrowed activation accounts"
        ),
        "Changes and activity": "change changes activity actions changed",
        "Library items, profiles, certificates": (
            "library item items profile profiles certificate certificates blueprints"
        ),
        "People": "user users people person persons department",
        "Enrolment and management": (
            "ade tokens token enrolment licence licences commands agent unsupervised new expiries mirror"
        ),
        "Hardware": "asset assets batteries battery disk carrier carriers uptime replacement storage hardware",
    }.items()
}
"""The words of names by topic; the first that has one of a name is its topic."""

ORDER = (
    DEVICES,
    "People",
    "Compliance",
    "Security settings",
    "Updates",
    "Vulnerabilities and threats",
    "Apps and extensions",
    "Library items, profiles, certificates",
    "Enrolment and management",
    "Hardware",
    "Changes and activity",
)
"""Topics as they are listed."""


def topic(query: NamedQuery) -> str:
    """Return what a query is about."""
    words = set(query.name.split("_"))
    return next((topic for topic, known in WORDS.items() if words & known), DEVICES)


def by_topic(queries: Iterable[NamedQuery]) -> dict[str, list[NamedQuery]]:
    """Return queries by what they are about, topics in their order and those without a query left out."""
    found: dict[str, list[NamedQuery]] = {name: [] for name in ORDER}
    for query in queries:
        found[topic(query)].append(query)
    return {name: listed for name, listed in found.items() if listed}
