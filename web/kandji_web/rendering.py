"""One page: its template with what all pages have, as an answer."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from kandji_web.asking import caller_of, mirror_of
from kandji_web.sign_in import SESSION
from kandji_web.templates import render

NAVIGATION = (
    ("/", "Overview"),
    ("/tables", "Tables"),
    ("/queries", "Queries"),
    ("/compliance", "Compliance"),
    ("/changes", "Changes"),
    ("/sql", "SQL"),
    ("/status", "Status"),
)
"""Paths and words of the bar at the top."""


def page(request: Request, template: str, *, title: str, status: int = 200, **facts: Any) -> HTMLResponse:
    """Return the page of a template below ``templates/``, which has :func:`common_facts` and its own ``facts``."""
    return HTMLResponse(render(template, common_facts(request, title) | facts), status_code=status)


def common_facts(request: Request, title: str) -> dict[str, Any]:
    """Return what the template of every page has.

    ``title``, ``path``, ``navigation``, ``person`` (who signed in, or None), ``key`` (what forms carry, empty without
    a session), ``masked`` and ``now``, from which ages are told.
    """
    session = request.scope.get(SESSION)
    person = caller_of(request).person
    return {
        "title": title,
        "path": request.url.path,
        "navigation": NAVIGATION,
        "person": person.name if person else None,
        "key": session.form_key if session else "",
        "masked": mirror_of(request).masked,
        "now": mirror_of(request).clock().isoformat(timespec="seconds"),
    }
