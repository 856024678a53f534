"""``/compliance``: how each rule stands in each blueprint; every number leads to its devices and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kandji_queries.catalog.queries import named
from kandji_queries.results.dates import date_line
from kandji_queries.results.result import Result
from kandji_web.asking import limits_of, mirror_of
from kandji_web.kept import kept_answer
from kandji_web.rendering import page

QUERY = "compliance_by_blueprint"
DEVICES = "/queries/rule_results"
FLEET = "/tables/fleet"

MOST = 10_000
"""Rows that are asked for: a rule of a blueprint each."""

STEPS = ((99.95, "good"), (80.0, ""), (0.0, "bad"))
"""From so many percent passed on a cell is coloured so; its numbers say the same."""


@dataclass(frozen=True)
class Cell:
    """A rule in a blueprint: its numbers of devices, and where they lead. ``devices`` is 0 where it is for none."""

    devices: int
    passed: int
    failed: int
    unknown: int
    percent: float | None
    tone: str
    link: str

    def of(self, result: str) -> str:
        """Return where the devices of one result are listed."""
        return f"{self.link}&{urlencode({'result': result})}"


@dataclass(frozen=True)
class Blueprint:
    """A row: two of one name have identifiers of their own; without one it is of devices that have no blueprint."""

    name: str
    id: str | None

    @property
    def link(self) -> str:
        """Return where its devices are listed."""
        return f"{FLEET}?{urlencode({'blueprint_id': self.id} if self.id else {'blueprint_id__unknown': 1})}"


@dataclass(frozen=True)
class Matrix:
    """Rules across, blueprints down; ``cells`` by both, None where a rule is for no device of a blueprint."""

    rules: Sequence[str]
    blueprints: Sequence[Blueprint]
    cells: dict[tuple[Blueprint, str], Cell]


async def compliance(request: Request) -> Response:
    """Show the matrix of rules and blueprints, of all devices or of one platform."""
    (choice,) = (param for param in named(QUERY).params if param.name == "platform")
    platform = choice.value(request.query_params.get("platform") or None)
    limits = replace(limits_of(request), rows=MOST)
    answer = await kept_answer(
        request, "/compliance", platform, lambda reader: reader.query(QUERY, {"platform": platform}, limits=limits)
    )
    return page(
        request,
        "compliance.html",
        title="Compliance",
        platform=platform,
        platforms=choice.choices,
        matrix=_matrix(answer, platform),
        dated=date_line(answer.as_of, mirror_of(request).clock()),
        notes=answer.notes,
    )


def _matrix(answer: Result, platform: str) -> Matrix:
    names = [column.name for column in answer.columns]
    cells: dict[tuple[Blueprint, str], Cell] = {}
    for values in answer.rows:
        row = dict(zip(names, values, strict=True))
        cells[Blueprint(row["blueprint"], row["blueprint_id"]), row["rule"]] = _cell(row, platform)
    blueprints = list(dict.fromkeys(blueprint for blueprint, _ in cells))
    rules = sorted({rule for _, rule in cells}, key=lambda rule: (rule != "all rules", rule))
    return Matrix(rules, blueprints, cells)


def _cell(row: dict[str, Any], platform: str) -> Cell:
    percent = row["percent_passed"]
    asked = {"rule": row["rule"], "blueprint": row["blueprint_id"] or row["blueprint"], "platform": platform}
    return Cell(
        devices=row["passed"] + row["failed"] + row["unknown"],
        passed=row["passed"],
        failed=row["failed"],
        unknown=row["unknown"],
        percent=percent,
        tone="" if percent is None else next(tone for least, tone in STEPS if percent >= least),
        link=f"{DEVICES}?{urlencode(asked)}",
    )


ROUTES = [Route("/compliance", compliance)]
