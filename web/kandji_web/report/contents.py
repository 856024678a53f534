"""What a report tells, before anyone wrote it as a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kandji_queries.charts.picture import Picture
from kandji_queries.overview import ComparedSection, Overview


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks for.

    ``sections`` are names, empty for all; ``since`` a time as people write it; ``blueprint`` the name of one. An
    ``anonymous`` report names neither people nor devices.
    """

    sections: Sequence[str] = ()
    since: str | None = None
    blueprint: str | None = None
    anonymous: bool = False


@dataclass(frozen=True, kw_only=True)
class About:
    """What is told of the mirror besides its tables: the ``tenant``, a sentence on its ``budget``, our ``version``."""

    tenant: str
    version: str
    budget: str = ""


@dataclass(frozen=True)
class Figure:
    """One key number: ``n`` of a ``whole``, of which ``unknown`` are not known; None where that is not known or not so.

    ``everywhere`` tells that it is of the whole tenant where the report is of a blueprint.
    """

    title: str
    n: int | None
    whole: int | None
    unknown: int | None
    everywhere: bool = False

    @property
    def percent(self) -> float | None:
        """The share in percent; None where it is none, or of nothing."""
        return 100 * self.n / self.whole if self.n is not None and self.whole else None


@dataclass(frozen=True, kw_only=True)
class ReportPicture:
    """One picture under its title. ``picture`` is None where it could not be read, of which the ``sentence`` tells.

    ``notes`` are those that are about this picture alone, ``hidden`` the columns that are left out of its table, and
    ``source`` is the command that gives the whole answer.
    """

    title: str
    sentence: str
    picture: Picture | None = None
    dated: str = ""
    notes: Sequence[str] = ()
    hidden: Sequence[str] = ()
    source: str = ""


@dataclass(frozen=True)
class ReportSection:
    """The pictures of a section; ``told`` is what else is to be said of it."""

    name: str
    title: str
    pictures: tuple[ReportPicture, ...]
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report. ``made_at`` is aware UTC, ``since`` naive UTC; ``as_of`` tells when every table used was read.

    ``notes`` are what has to be known before any of it is believed, ``overview`` what the ``figures`` are taken from.
    """

    about: About
    wanted: Wanted
    made_at: datetime
    masked: bool
    blueprint: str
    since: datetime | None
    as_of: Mapping[str, str | None]
    dated: str
    notes: Sequence[str]
    overview: Overview
    figures: tuple[Figure, ...]
    compared: tuple[ComparedSection, ...]
    sections: tuple[ReportSection, ...]
