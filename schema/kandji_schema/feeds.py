"""Public feeds: documents of the world outside the tenant that become tables, and which of them are on.

They come from other hosts than the tenant's, with no token and nothing of the tenant in the request, and only where
``KANDJI_MIRROR_FEEDS`` names them. This module is read by queries too, so that it knows tables by name alone.
"""

from dataclasses import dataclass
from datetime import timedelta

from kandji_schema.errors import ConfigurationError
from kandji_schema.near_names import near

SETTING = "KANDJI_MIRROR_FEEDS"
"""The setting that names the feeds that are on."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """One file of a feed. ``name`` is what its rows have in the feed's :attr:`Feed.part`; ``path`` is below the URL."""

    name: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One public feed: where it is, whose it is, and which tables are made of it.

    ``url`` is where its documents lie, ``tables`` the tables that come of each of them. ``part`` is the column that
    tells of which document a row is, where there are several. ``about`` says what it is, ``site`` whose it is, and
    ``licence`` under which terms. A document that says it was made longer ago than ``stands_still`` is as old as that,
    however often it is fetched: its makers stopped.
    """

    name: str
    about: str
    url: str
    documents: tuple[Document, ...]
    tables: tuple[str, ...]
    site: str
    licence: str
    part: str = ""
    stands_still: timedelta

    @property
    def url_setting(self) -> str:
        """Name of the setting that puts another address in place of :attr:`url`."""
        return f"KANDJI_MIRROR_FEED_{self.name.upper()}_URL"


SOFA = Feed(
    name="sofa",
    about="Releases of macOS and of iOS with iPadOS: dates, security fixes, the models they run on (SOFA, version 2).",
    url="https://sofafeed.macadmins.io/v2",
    documents=(
        Document(name="macOS", path="macos_data_feed.json"),
        Document(name="iOS", path="ios_data_feed.json"),
    ),
    tables=("os_releases", "os_release_cves", "device_models"),
    part="os",
    stands_still=timedelta(days=3),
    site="https://sofa.macadmins.io",
    licence="Apache-2.0, Mac Admins Open Source",
)

KEV = Feed(
    name="kev",
    about="Vulnerabilities that are known to be exploited, with due dates (CISA's KEV catalogue).",
    url="https://www.cisa.gov/sites/default/files/feeds",
    documents=(Document(name="KEV", path="known_exploited_vulnerabilities.json"),),
    tables=("known_exploited_vulnerabilities",),
    stands_still=timedelta(days=60),
    site="https://www.cisa.gov/known-exploited-vulnerabilities-catalog",
    licence="public domain (CC0), CISA",
)

FETCHED, LOADED = "feed", "feed file"
"""How the rows of a feed's table are said to be read: over the network, or from a file that somebody brought."""

FEEDS: dict[str, Feed] = {feed.name: feed for feed in (SOFA, KEV)}
"""All feeds, by name."""


def feed_of(table: str) -> Feed | None:
    """Return the feed that a table is made of; None for a table of the tenant, and for what is no table."""
    return next((feed for feed in FEEDS.values() if table in feed.tables), None)


def is_on(table: str, setting: str) -> bool:
    """Return whether a table is kept up to date: it is the tenant's, or of a feed that a value of the setting names."""
    feed = feed_of(table)
    return feed is None or feed.name in {name.strip().lower() for name in setting.split(",")}


def enabled(setting: str) -> tuple[Feed, ...]:
    """Return the feeds that a value of the setting names, each once; :class:`ConfigurationError` for another name."""
    named = [name.strip().lower() for name in setting.split(",") if name.strip()]
    for name in named:
        if name not in FEEDS:
            raise ConfigurationError(
                f"{SETTING} is {setting[:200]!r}; it must be names of feeds with commas between them, and there is no "
                f"feed {near(name, FEEDS)[1]}"
            )
    return tuple(FEEDS[name] for name in dict.fromkeys(named))
