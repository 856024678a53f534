"""What devices are made of: models by platform and the releases of their operating systems."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from kandji_simulator.world.seed_data import read_table


@dataclass(frozen=True, slots=True)
class Model:
    """``name`` is the marketing name, ``short`` what Prism calls the model, ``capacity`` in GB."""

    platform: str
    name: str
    identifier: str
    short: str
    capacity: float
    silicon: bool | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return self.short or self.name


@dataclass(frozen=True, slots=True)
class Release:
    """A release of an operating system; ``title`` is its marketing name, ``extra`` a Rapid Security Response."""

    version: str
    build: str
    title: str | None = None
    extra: str = ""


APPLE = frozenset({"Mac", "iPhone", "iPad", "AppleTV"})
"""Platforms Prism covers here."""

PLATFORM_SHARES = (("Mac", 80), ("iPhone", 9), ("iPad", 6), ("AppleTV", 2), ("Windows", 2), ("Android", 1))
"""Percent of the fleet. Windows and Android devices are in the device list only, never in Prism."""


def _model(row: dict[str, str]) -> Model:
    silicon = {"yes": True, "no": False}.get(row["silicon"])
    return Model(row["platform"], row["name"], row["identifier"], row["short"], float(row["capacity"]), silicon)


MODELS = tuple(map(_model, read_table("models.tsv")))

RELEASES: Mapping[str, list[Release]] = defaultdict(list)
"""Releases in use by platform, oldest first."""

for _row in read_table("releases.tsv"):
    for _platform in _row["platforms"].split():
        RELEASES[_platform].append(Release(_row["version"], _row["build"], _row["title"] or None, _row["extra"]))

AGENT_VERSIONS = {
    "Mac": ("4.3.3 (4811)", "4.5.9 (5160)", "4.6.0 (5202)", "4.6.2 (5240)"),
    "Windows": ("1.0.00002.0002",),
}
"""Versions of the agent by platform; the others have none."""
