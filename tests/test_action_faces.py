"""One table of attempts through both faces: command line and MCP refuse, send and record the same."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from commands import configure, run
from live_tenant import Live, live
from mcp import Client, MCPError
from mcp_calls import said
from test_mcp_actions import Human, connected

from kandji_schema.actions import action
from kandji_schema.actions.record import TargetKind
from kandji_schema.errors import UnknownName
from kandji_simulator.api.faults import Fault, FaultKind

Row = tuple[str, str, str | None, str | None]
"""Of a record: event, action, target and outcome."""

MEANT = "who types the command means it: there is no such argument"
ONE = "a tool takes one device"
TOKEN_TELLS = "a token alone names what it confirms"


@dataclass(frozen=True)
class Attempt:
    """What is tried, and what has to come of it. ``{id}``, ``{serial}`` and ``{name}`` are those of the first Mac.

    ``token`` tells what is done with one that was offered before: an AI client may confirm then, and the command line
    does so by ``action confirm``. ``typed`` is the serial number that somebody gives. ``rows`` are the new records;
    ``by_token`` those of the command line where a token is all it was told. Without ``cli`` or ``mcp`` that face cannot
    express it, for the reason that stands there.
    """

    rows: tuple[Row, ...]
    name: str = "restart"
    targets: tuple[str, ...] = ("{id}",)
    given: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    confirm: object = True
    typed: str = "{serial}"
    token: str = ""
    writes: int = 0
    fault: FaultKind | None = None
    by_token: tuple[Row, ...] | None = None
    cli: str = ""
    mcp: str = ""

    @property
    def good(self) -> bool:
        """Whether it ends without an error."""
        return bool(self.writes) or self.name == "notes"


def refused(target: str | None = "{id}", name: str = "restart", event: str = "refused") -> tuple[Row, ...]:
    return ((event, name, target, "not sent"),)


def sent(outcome: str, name: str = "restart") -> tuple[Row, ...]:
    return (("intent", name, "{id}", None), ("outcome", name, "{id}", outcome))


ATTEMPTS = {
    "confirm is false": Attempt(refused(), confirm=False, cli=MEANT),
    "confirm is a text": Attempt(refused(), confirm="yes", cli=MEANT),
    "confirm is one": Attempt(refused(), confirm=1, cli=MEANT),
    "confirm is missing": Attempt(refused(), confirm=None, cli=MEANT),
    "a secret without a reason": Attempt(refused(name="filevaultkey"), name="filevaultkey"),
    "a secret for a blank": Attempt(refused(name="filevaultkey"), name="filevaultkey", reason="  "),
    "no target": Attempt(refused(None), targets=()),
    "too many targets": Attempt(refused("{id}, {serial}, a, b, c, d"), targets=("{id}", "{serial}", *"abcd"), mcp=ONE),
    "one target twice": Attempt(refused(), targets=("{id}", "{serial}"), mcp=ONE),
    "an unknown device": Attempt(refused("nobody"), targets=("nobody",)),
    "an ambiguous device": Attempt(refused("Lab"), targets=("Lab",)),
    "a path for a device": Attempt(refused("{id}/secrets/filevaultkey"), targets=("{id}/secrets/filevaultkey",)),
    "unseen characters in a device": Attempt(refused("{serial}\u202e"), targets=("{serial}\u202e",)),
    "unseen characters in an argument": Attempt(
        refused(name="setname"), name="setname", given={"device_name": "a\u00ad"}
    ),
    "a forged reason": Attempt(refused(), reason="ticket\x1b[2J\nconfirmed by Ann"),
    "a reason without an end": Attempt(refused(), reason="x" * 501),
    "a missing argument": Attempt(refused(name="setname"), name="setname"),
    "another platform": Attempt(refused(name="clearpasscode"), name="clearpasscode"),
    "an unknown action": Attempt((), name="explode"),
    "a used token": Attempt(refused(), token="used"),
    "a token of another preview": Attempt(refused(name="shutdown"), name="shutdown", token="other", cli=TOKEN_TELLS),
    "an expired token": Attempt(refused(event="expired"), token="expired"),
    "a forged token": Attempt(refused(), token="forged", by_token=refused(None, "confirm")),
    "another serial number": Attempt(refused(), token="good", typed="C02NOTIT"),
    "a good one": Attempt(sent("queued"), writes=1),
    "a good one with an argument": Attempt(
        sent("queued", "setname"), name="setname", given={"device_name": "x"}, writes=1
    ),
    "a good token": Attempt(sent("queued"), token="good", writes=1),
    "something read": Attempt(sent("done", "notes"), name="notes"),
    "a lost answer": Attempt(sent("unknown"), writes=1, fault=FaultKind.EXECUTED_SERVER_ERROR),
}


@pytest.fixture
def tenants(tmp_path: Path) -> Iterator[tuple[Live, Live]]:
    """The same tenant twice, each with a home: what one face does the other must not meet."""
    with ExitStack() as stack:
        homes = [tmp_path / name for name in ("cli", "mcp")]
        for home in homes:
            home.mkdir()
        first, second = (stack.enter_context(live(home)) for home in homes)
        yield first, second


@dataclass(frozen=True)
class Came:
    """What came of an attempt."""

    ended_well: bool
    rows: tuple[Row, ...]
    words: tuple[str | None, ...]
    requests: list[tuple[str, str]]
    writes: int


@pytest.mark.many(quick_every=3)
@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_both_faces_do_and_record_the_same(tenants: tuple[Live, Live], attempt: Attempt) -> None:
    cli, mcp = tenants
    expected = tuple(map(_texts(mcp), attempt.rows))
    by_command = expected if attempt.by_token is None else attempt.by_token
    came: dict[str, Came] = {}
    if not attempt.cli:
        came["cli"] = _came(cli, attempt, _by_command)
        assert came["cli"].rows == by_command
    if not attempt.mcp:
        came["mcp"] = _came(mcp, attempt, _by_tool)
        assert came["mcp"].rows == expected
    for found in came.values():
        assert found.ended_well is attempt.good
        assert found.writes == attempt.writes
    if len(came) == 2:
        assert came["cli"].requests == came["mcp"].requests
        assert came["cli"].words == came["mcp"].words or attempt.by_token or not attempt.targets


def _came(tenant: Live, attempt: Attempt, face: Callable[[Live, Attempt, str], bool]) -> Came:
    """Prepare the tenant and a token, try it at one face, and look at what is new."""
    first, second = [d for d in tenant.tenant.world.devices.values() if d.platform == "Mac" and not d.removed][:2]
    first.name = second.name = "Lab"
    token = _token(tenant, attempt.token) if attempt.token else ""
    if attempt.fault:
        tenant.tenant.faults.append(Fault("/action/restart", attempt.fault, times=9))
    records, requests, writes = (len(done) for done in (tenant.records(), tenant.tenant.requests, tenant.writes()))
    ended_well = face(tenant, attempt, token)
    new = tenant.records()[records:]
    return Came(
        ended_well,
        tuple((r["event"], r["action"], r["device_id"], r["outcome"]) for r in new),
        tuple(r["detail"] for r in new),
        [(r.method, r.path) for r in [*tenant.tenant.requests][requests:]],
        len(tenant.writes()) - writes,
    )


def _by_command(tenant: Live, attempt: Attempt, token: str) -> bool:
    texts = _texts(tenant)
    typed = ["--serial", texts(attempt.typed)]
    settings = tenant.environment(KANDJI_MIRROR_ACTION_DEVICES="5")
    if token:
        configure(tenant.home, mirror_confirm="agent")
        return run(tenant.home, "action", "confirm", token, *typed, **settings).returncode == 0
    given = [part for name, value in attempt.given.items() for part in ("--arg", f"{name}={value}")]
    reason = ["--reason", attempt.reason] if attempt.reason else []
    group = "secret" if attempt.name == "filevaultkey" else "action"
    targets = map(texts, attempt.targets)
    shown = ["--to-stdout"]
    ended = run(tenant.home, group, attempt.name, *targets, *given, *reason, *typed, *shown, **settings)
    assert "Traceback" not in ended.stderr
    return ended.returncode == 0


def _by_tool(tenant: Live, attempt: Attempt, token: str) -> bool:
    texts = _texts(tenant)
    arguments: dict[str, Any] = {**attempt.given, "reason": attempt.reason or None}
    if attempt.targets:
        arguments["device"] = texts(attempt.targets[0])
    if attempt.name != "notes":
        arguments["confirm"] = attempt.confirm
    if token:
        arguments |= {"token": token, "serial_number": texts(attempt.typed)}
    return _call(tenant, _tool(attempt.name), arguments, agent=bool(token))[0]


def _call(tenant: Live, tool: str, arguments: Mapping[str, Any], *, agent: bool) -> tuple[bool, str]:
    """Whether it went well, and what was said; a human who is asked says yes."""
    present = {name: value for name, value in arguments.items() if value is not None}

    async def talk(client: Client) -> tuple[bool, str]:
        try:
            found = await client.call_tool(tool, present)
        except MCPError as error:
            return False, str(error)
        return not found.is_error, said(found)

    by = "agent" if agent else "human"
    # by the older protocol, where the answer comes within the call: in the newer one the preview is read again for it
    ended: tuple[bool, str] = connected(tenant, talk, Human(), "legacy", mirror_confirm=by)
    return ended


def _tool(name: str) -> str:
    try:
        record = action(name, secret=name == "filevaultkey")
    except UnknownName:
        return name
    assert record.target is TargetKind.DEVICE
    return record.tool


def _token(tenant: Live, state: str) -> str:
    """One for a restart of the first Mac, in that state."""
    asked = {"device": _texts(tenant)("{id}"), "confirm": True}
    well, offered = _call(tenant, "restart_device", asked, agent=True)
    assert well, offered
    token = offered.split("token='")[1].split("'")[0]
    if state == "used":
        asked |= {"token": token, "serial_number": _texts(tenant)("{serial}")}
        assert _call(tenant, "restart_device", asked, agent=True)[0]
    if state == "expired":  # five minutes that nobody waits for
        with closing(sqlite3.connect(tenant.home / "confirmations.sqlite", isolation_level=None)) as pending:
            pending.execute("UPDATE confirmations SET expires_at = expires_at - 301")
    return token[::-1] if state == "forged" else token


def _texts(tenant: Live) -> Callable[[Any], Any]:
    """Puts the first Mac's identifier, serial number and name into a text, or into those of a row."""
    mac = tenant.device()

    def text(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(text, value))
        return value.format(id=mac.id, serial=mac.serial) if isinstance(value, str) else value

    return text
