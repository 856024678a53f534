"""A tenant of three devices as a function from request to response, whose every write can be made to go wrong."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from support import client_of

from kandji_mirror.actions.confirmations import Confirmation, PendingConfirmations
from kandji_mirror.actions.outcome_check import ObservedOutcome
from kandji_mirror.actions.policy import ActionPolicy, ActionRequest, ConfirmedBy
from kandji_mirror.actions.preview import Preview
from kandji_mirror.actions.results import Performed
from kandji_mirror.actions.service import ActionService
from kandji_mirror.actions.trail import AuditTrail
from kandji_mirror.audit.log import Actor, Attempt, AuditLog
from kandji_schema.actions import action
from kandji_schema.actions.record import TargetKind
from kandji_schema.errors import Unreachable
from kandji_schema.http import Request, Response, Send

MAC, TWIN, PHONE = (str(UUID(int=n)) for n in (1, 2, 3))
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
PIN = "496406"
KEY = "QQQQ-WWWW-EEEE-RRRR-TTTT-YYYY"
After = Callable[[Response], Response]


def row(device_id: str, name: str, serial: str, platform: str = "Mac", **facts: Any) -> dict[str, Any]:
    """A device as the provider's list has it."""
    return {
        "device_id": device_id,
        "device_name": name,
        "serial_number": serial,
        "platform": platform,
        "os_version": "15.1",
        "model": "MacBook Air",
        "user": {"email": "jane@example.org", "name": "Jane", "id": str(UUID(int=9))},
        "last_check_in": "2026-11-20T11:00:00Z",
        "asset_tag": "",
        "tags": [],
        "is_missing": False,
        "is_removed": False,
        **facts,
    }


class ActionTenant:
    """``sent`` are the writes and secret reads that arrived, ``after`` spoils the answers of the next of them."""

    def __init__(self) -> None:
        self.devices = {
            MAC: row(MAC, "Jane's Mac", "C02JANE"),
            TWIN: row(TWIN, "Lab", "C02TWIN"),
            PHONE: row(PHONE, "Phone", "F17PHONE", "iPhone"),
        }
        self.sent: list[Request] = []
        self.commands: dict[str, list[dict[str, Any]]] = {}
        self.secrets: dict[str, Any] = {"filevaultkey": {"key": KEY}, "unlockpin": {"pin": PIN}}
        self.after: list[After] = []
        self.instead: list[Response] = []
        self.executes = True

    def send(self, request: Request) -> Response:
        """A :data:`~kandji_schema.http.Send`."""
        response = self._answer(request)
        return Response(response.status, {**response.headers, "date": format_datetime(NOW, usegmt=True)}, response.body)

    def _answer(self, request: Request) -> Response:
        reads = request.method == "GET" and "/secrets/" not in request.path
        if not reads:
            self.sent.append(request)
            if self.instead:
                return self.instead.pop(0)
        response = self._read(request) if request.method == "GET" else self._write(request)
        return self.after.pop(0)(response) if not reads and self.after else response

    def _read(self, request: Request) -> Response:
        parts = request.path.removeprefix("/api/v1/").split("/")
        match parts:
            case ["devices"]:
                wanted = {k: v for k, v in request.query if k in {"device_name", "serial_number"}}
                found = [d for d in self.devices.values() if all(v.lower() in d[k].lower() for k, v in wanted.items())]
                offset, limit = (int(dict(request.query)[key]) for key in ("offset", "limit"))
                return said(found[offset : offset + limit])
            case ["devices", device_id] if device_id in self.devices:
                return said(self.devices[device_id])
            case ["devices", device_id, "commands"]:
                results = self.commands.get(device_id, [])
                return said(
                    {"device_id": device_id, "commands": {"count": len(results), "next": None, "results": results}}
                )
            case ["devices", _, "secrets", name] if name in self.secrets:
                return said(self.secrets[name])
            case ["devices", _, "notes"]:
                return said([{"note_id": str(UUID(int=77)), "author": "Ann", "content": "hello", "created_at": "x"}])
            case ["tags"]:
                return said({"count": 1, "next": None, "results": [{"id": str(UUID(int=5)), "name": "lab"}]})
        return said({"detail": "Not found."}, 404)

    def _write(self, request: Request) -> Response:
        parts = request.path.removeprefix("/api/v1/").split("/")
        if request.method == "DELETE" and len(parts) == 2 and parts[0] == "devices":
            self.devices.pop(parts[1])
            return Response(204)
        if request.method == "PATCH" and len(parts) == 2 and parts[0] == "devices":
            changed = {k: "" if v is None else v for k, v in json.loads(request.body).items()}
            self.devices[parts[1]].update(changed)
            return said(self.devices[parts[1]])
        if parts[2:3] == ["action"] and self.executes and action(parts[3]).commands:
            self.commands.setdefault(parts[1], []).append(command(parts[3]))
        return said({"PIN": PIN}) if parts[-1] == "lock" else Response(200)


def command(name: str, *, at: datetime = NOW, status: int = 1) -> dict[str, Any]:
    """A command of the provider's list for one of our actions."""
    kind = action(name).commands[0]
    return {
        "uuid": str(uuid4()),
        "command_type": kind,
        "request_type": kind,
        "status": status,
        "date_requested": at.isoformat(),
        "date_completed": None,
        "error_chain": [],
    }


def said(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, {"content-type": "application/json"}, json.dumps(value).encode())


def torn(_: Response) -> Response:
    """The connection ends before the answer."""
    raise Unreachable("POST: the connection broke (ReadTimeout).", sent=True)


def fault(_: Response) -> Response:
    """It is carried out, and answered with an error of the server."""
    return said({"detail": "boom"}, 500)


def service_at(home: Path, tenant: ActionTenant, *, send: Send | None = None, **facts: Any) -> ActionService:
    """A service whose waits take no time, for an asker of whom every confirmation counts."""
    clock = facts.pop("clock", lambda: NOW)
    policy = ActionPolicy(agents_confirm=True, asks_in_client=True, keeps_names=not facts.pop("hides_personal", False))
    log = AuditLog(home, Actor("ann", "host", "tests 1"), clock=clock)
    trail = AuditTrail(log, "acme", keeps_names=policy.keeps_names)
    pending = PendingConfirmations(home, clock=clock)
    return ActionService(client_of(send or tenant.send), home, policy, trail, pending, clock=clock, **facts)


def preview_of(
    service: ActionService, name: str, reference: str = MAC, reason: str = "", /, **given: object
) -> Preview:
    """A preview of one target; a secret is asked for with a reason."""
    record = action(name, secret=name in {"filevaultkey", "unlockpin", "recoverypassword", "bypasscode"})
    targets = () if record.target is TargetKind.TENANT else (reference,)
    why = reason or ("ticket 0" if record.secret else "")
    request = ActionRequest(action=record, targets=targets, arguments=given, reason=why, confirm=True)
    (preview,) = service.preview(request)
    return preview


def confirmed(
    service: ActionService, preview: Preview, typed: str, code: Callable[[], str] = str, *, token: str | None = None
) -> Confirmation:
    """What somebody typed at a terminal."""
    return service.confirm(preview, ConfirmedBy.TERMINAL, lambda: typed, code=code, token=token)


def done(service: ActionService, name: str, reference: str = MAC, reason: str = "", /, **given: object) -> Performed:
    """Previewed, confirmed and performed."""
    preview = preview_of(service, name, reference, reason, **given)
    return service.perform(preview, confirmed(service, preview, preview.target.proof))


def status_of(service: ActionService, attempt: Attempt) -> ObservedOutcome | None:
    """What the tenant shows of an attempt now."""
    (status,) = service.status(attempt.action_id, 1)
    return status.observed


def log_at(home: Path) -> AuditLog:
    """The log, to be read."""
    return AuditLog(home, Actor("ann", "host", "tests 1"))


def events(home: Path) -> list[tuple[str, str, str | None]]:
    """What the log holds: event, action, outcome."""
    return [(r["event"], r["action"], r["outcome"]) for r in log_at(home).records()]
