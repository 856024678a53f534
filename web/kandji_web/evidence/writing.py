"""Evidence is written as a page that needs nothing else: no script, no request, its style known by its hash."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from kandji_queries.evidence.contents import ControlEvidence, DayCount, DeviceLine, Evidence, gap_spans
from kandji_web.evidence.trend import told, trend
from kandji_web.templates import render

ASSETS = Path(__file__).parents[1] / "assets"
STYLES = ("site.css", "report.css", "evidence.css")
POLICY = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'"

SHOWN = 40
"""Devices that the page shows of a control; devices.csv has all."""

GAPS = 60
"""Gaps that the page shows; gaps.csv has all."""


@dataclass(frozen=True)
class Run:
    """Days in a row with the same numbers."""

    first: date
    last: date
    count: DayCount


@dataclass(frozen=True)
class ControlShown:
    """A control as the page shows it. ``lines`` are the first devices that failed or were excepted on some day."""

    told: ControlEvidence
    anchor: str
    svg: Markup
    sentence: str
    runs: tuple[Run, ...]
    lines: Sequence[DeviceLine]
    left_out: int

    @property
    def marks(self) -> Iterator[tuple[DayCount, str]]:
        """Give the days that matter, in order, each with what it is."""
        days = self.told.days
        known = [count for count in days if count.percent is not None]
        words = {days[0].day: ["the first day"], days[-1].day: ["the last day"]}
        if known:
            low = min(known, key=lambda count: count.percent or 0.0)
            for count, word in ((known[0], "the first known day"), (known[-1], "the last known day")):
                if count.day not in words:
                    words[count.day] = [word]
            words.setdefault(low.day, []).append("the lowest share")
        for count in days:
            if count.day in words:
                yield count, ", ".join(words[count.day])


def html(evidence: Evidence) -> str:
    """Return evidence as a page."""
    style = _style()
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    spans = gap_spans(evidence.gaps)
    facts: Mapping[str, Any] = {
        "evidence": evidence,
        "style": Markup(style),  # noqa: S704  # files of ours
        "policy": f"{POLICY}; style-src 'sha256-{digest}'",
        "controls": [_shown(number, told) for number, told in enumerate(evidence.controls, 1)],
        "read_last": sorted(moment for moment in evidence.as_of.values() if moment),
        "gaps": spans[:GAPS],
        "gaps_left_out": max(len(spans) - GAPS, 0),
    }
    return render("evidence.html", facts) + "\n"


@cache
def _style() -> str:
    sheets = [(ASSETS / name).read_text(encoding="utf-8") for name in STYLES]
    return "\n".join(["", *sheets]).replace("\r\n", "\n")


def _shown(number: int, control: ControlEvidence) -> ControlShown:
    lines = [line for line in control.lines if line.failed or line.excepted]
    return ControlShown(
        told=control,
        anchor=f"control-{number}",
        svg=trend(control.days),
        sentence=told(control.days),
        runs=tuple(_runs(control.days)),
        lines=lines[:SHOWN],
        left_out=max(len(lines) - SHOWN, 0),
    )


def _runs(days: Sequence[DayCount]) -> Iterator[Run]:
    for _, same in groupby(days, key=lambda count: (count.passed, count.failed, count.unknown, count.excepted)):
        every = list(same)
        yield Run(every[0].day, every[-1].day, every[0])
