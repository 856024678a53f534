"""Control endpoints of a served tenant, which the provider does not have: requests so far, the passing of time, faults.

``GET /_journal`` lists the requests so far, ``GET /_writes`` those that were to change something, with their bodies;
``POST /_advance?steps=N`` lets time pass; ``POST /_commands?device_id=ID&status=COMPLETED`` lets a device, or without
one all that can be reached, answer what waits for it (by a name of :class:`Status`; ``error`` is what a failing one
says); ``POST /_forbidden?path=/api/v1/devices/{device_id}&method=DELETE`` takes a permission from the token (without a
method: everything that begins with the path), ``DELETE`` gives it back; ``GET /_faults`` lists the kinds of faults and
what they mean, ``POST /_faults`` adds one (an object with the fields of :class:`Fault`, of which ``pattern`` and
``kind`` are needed) and ``DELETE /_faults`` ends them all.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from kandji_schema.http import Response
from kandji_simulator.api.faults import Fault, FaultKind
from kandji_simulator.api.routing import json_answer
from kandji_simulator.api.tenant import Tenant
from kandji_simulator.world.management import Status

Query = Mapping[str, str]


def _commands(tenant: Tenant, query: Query, body: bytes) -> Response:
    status, device_id = query.get("status", "COMPLETED"), query.get("device_id")
    if status not in Status.__members__:
        return json_answer(400, {"detail": f"status is {status!r}; it must be one of {', '.join(Status.__members__)}."})
    answered = tenant.world.answer_commands(device_id, Status[status], query.get("error", "The command failed."))
    return json_answer(200, {"answered": answered})


def _forbid(tenant: Tenant, query: Query, body: bytes) -> Response:
    tenant.forbid(query.get("path", "/api/"), query.get("method", ""))
    return json_answer(200, dict(query))


def _allow(tenant: Tenant, query: Query, body: bytes) -> Response:
    tenant.allow(query.get("path", "/api/"), query.get("method", ""))
    return json_answer(200, dict(query))


def _advance(tenant: Tenant, query: Query, body: bytes) -> Response:
    steps = query.get("steps", "1")
    if not steps.isdecimal():
        return json_answer(400, {"detail": f"steps is {steps!r}; it must be a whole number."})
    tenant.world.advance(int(steps))
    return json_answer(200, {"now": tenant.world.now.isoformat(), "revision": tenant.world.revision})


def _add_fault(tenant: Tenant, query: Query, body: bytes) -> Response:
    try:
        tenant.faults.append(_fault(json.loads(body)))
    except (KeyError, TypeError, ValueError) as error:
        example = '{"pattern": "/devices", "kind": "SERVER_ERROR", "times": 2}'
        return json_answer(400, {"detail": f"{error} is wrong or missing; send something like {example}."})
    return json_answer(200, {"faults": len(tenant.faults)})


def _fault(asked: dict[str, Any]) -> Fault:
    return Fault(**{**asked, "kind": FaultKind[asked["kind"]], "pattern": str(asked["pattern"])})


def _clear_faults(tenant: Tenant, query: Query, body: bytes) -> Response:
    tenant.faults.clear()
    return json_answer(200, {"faults": 0})


CONTROL_ENDPOINTS: Mapping[tuple[str, str], Callable[[Tenant, Query, bytes], Response]] = {
    ("GET", "/_journal"): lambda tenant, query, body: json_answer(200, [entry._asdict() for entry in tenant.requests]),
    ("GET", "/_writes"): lambda tenant, query, body: json_answer(200, [entry.as_json() for entry in tenant.writes]),
    ("POST", "/_advance"): _advance,
    ("POST", "/_commands"): _commands,
    ("POST", "/_forbidden"): _forbid,
    ("DELETE", "/_forbidden"): _allow,
    ("GET", "/_faults"): lambda tenant, query, body: json_answer(200, {kind.name: kind.value for kind in FaultKind}),
    ("POST", "/_faults"): _add_fault,
    ("DELETE", "/_faults"): _clear_faults,
}
"""By method and path; each is called while no request is answered."""
