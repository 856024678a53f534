"""Whatever the tenant and the network do, the next healthy pass makes the mirror equal the tenant."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from moving_fleet import drifting, in_small_pages, keys_of_all
from support import client_of, differing, make_tenant, mirrored, run_sync, true_rows

from kandji_mirror.store.opening import open_store
from kandji_mirror.sync.request import device_tables
from kandji_mirror.sync.run import SyncRequest, run_request
from kandji_schema.errors import MirrorError
from kandji_schema.http import Request, Response
from kandji_schema.manifest import Manifest, data_dir, kept
from kandji_schema.registry import resources
from kandji_simulator import Fault, Tenant, World
from kandji_simulator import FaultKind as Trouble

pytestmark = pytest.mark.timeout(600)

TABLES = (
    "devices",
    "users",
    "blueprints",
    "blueprint_library_items",
    "audit_events",
    "apps",
    "prism_device_information",
    "prism_filevault",
    "prism_launch_agents_and_daemons",
    "prism_certificates",
    "device_library_items",
)
COMPARED = tuple(name for name in TABLES if name != "audit_events")  # it keeps what the provider forgets

OF_DEVICES = ("devices", *(name for name in TABLES if name.startswith(("apps", "prism", "device_"))))
Keys = dict[str, set[tuple[Any, ...]]]

Change = Callable[[World, str], object]
CHANGES: dict[str, Change] = {
    "enrol": lambda world, device: world.enrol(),
    "remove": lambda world, device: world.remove(device),
    "rename": lambda world, device: world.rename(device, f"Mac {world.revision}"),
    "assign": lambda world, device: world.assign_user(device, world.user_ids()[world.revision % 9]),
    "move": lambda world, device: world.assign_blueprint(device, world.blueprint_ids()[0]),
    "check in": lambda world, device: world.check_in(device),
    "update": lambda world, device: world.update_os(device),
    "swap app": lambda world, device: world.swap_app(device),
    "lose an app": lambda world, device: world.remove_app(device, _an_app(world, device)),
    "swap row": lambda world, device: world.swap_row(device, "launch_agents_and_daemons"),
    "lose row": lambda world, device: world.remove_row(device, "launch_agents_and_daemons"),
    "change row": lambda world, device: world.change_rows(device, "launch_agents_and_daemons"),
    "new fact": lambda world, device: world.redraw(device, "filevault"),
    "blueprint": lambda world, device: world.add_blueprint(),
    "user goes": lambda world, device: world.remove_user(world.user_ids()[-1]),
    "time": lambda world, device: world.advance(1),
    "slow stamps": lambda world, device: world.stamp_behind(timedelta(minutes=world.revision % 9)),
}

TROUBLES = tuple(
    kind
    for kind in Trouble
    if kind
    not in {
        Trouble.HOUR_SPENT,  # an hour of waiting
        Trouble.UNAUTHORIZED,  # ends the run, as it should
        Trouble.LONG_TEXT,  # slow to make and to compare
        Trouble.HANGING,
        Trouble.SLOW,
        Trouble.DELAY,
    }
)
PATHS = (
    "/devices\\?",
    "/devices/",
    "/users",
    "/blueprints",
    "prism/",
    "prism/apps",
    "prism/count",
    "export",
    "/status",
)


class Killed(BaseException):
    """The process ends here."""


def _an_app(world: World, device: str) -> str:
    return next(str(row["bundle_id"]) for row in world.truth("apps") if row["device_id"] == device)


def _inventoried(world: World) -> list[str]:
    """Macs with apps: every change is possible for them."""
    macs = {row["device_id"] for row in world.truth("prism_filevault")}
    return sorted(macs & {row["device_id"] for row in world.truth("apps")})


class Mirroring(RuleBasedStateMachine):
    """A tenant, its mirror, and everything that may happen to both."""

    @initialize(seed=st.integers(1, 5))
    def begin(self, seed: int) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.tenant: Tenant = make_tenant(24, seed=seed, apps=30)
        run_sync(self.home, self.tenant, *TABLES)

    @rule(what=st.sampled_from(sorted(CHANGES)), which=st.integers(0, 99))
    def change(self, what: str, which: int) -> None:
        world = self.tenant.world
        world.wait(timedelta(minutes=7))
        devices = _inventoried(world)
        CHANGES[what](world, devices[which % len(devices)])

    @rule(
        kind=st.sampled_from(TROUBLES),
        path=st.sampled_from(PATHS),
        times=st.sampled_from((1, 2, 9)),
        after=st.integers(0, 3),
    )
    def trouble(self, kind: Trouble, path: str, times: int, after: int) -> None:
        self.tenant.faults.append(Fault(path, kind, times=times, after=after))

    @rule(whole=st.booleans())
    def sync(self, whole: bool) -> None:
        with suppress(MirrorError):
            run_sync(self.home, self.tenant, *TABLES, everything=whole)

    @rule()
    def sync_in_the_background(self) -> None:
        with suppress(MirrorError):
            self._run(self.tenant.handle, SyncRequest(TABLES, sweep=5))

    @rule(
        moves=st.sampled_from(((True, False), (False, True), (True, True))),
        how=st.sampled_from(("plain", "whole", "background", "devices")),
        seed=st.integers(0, 999),
        shuffled=st.booleans(),
    )
    def sync_a_moving_fleet(self, moves: tuple[bool, bool], how: str, seed: int, shuffled: bool) -> None:
        world, chance = self.tenant.world, Random(seed)  # noqa: S311  # a seeded course of events
        removals, inserts = moves
        devices = tuple(world.device_ids()[: 5 if how == "devices" else 0])
        before = self._there_and_mirrored()
        drifting(self.tenant, chance, removals=removals, inserts=inserts, least=12, most=40)
        send = in_small_pages(self.tenant, chance if shuffled else None)
        request = SyncRequest(
            device_tables() if devices else TABLES,
            asked=how != "background",
            whole=how == "whole",
            sweep=5 if how == "background" else None,
            devices=devices,
        )
        with suppress(MirrorError):
            self._run(send, request)
        self.tenant.between("", None)
        now, held = self._truth(), self._held()
        for table in OF_DEVICES:
            assert before[table] & now[table] <= held[table], table
        while len(world.device_ids()) < 16:
            world.enrol()

    @rule(requests=st.integers(1, 60))
    def sync_and_be_killed(self, requests: int) -> None:
        left = requests

        def dying(request: Request) -> Response:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return self.tenant.handle(request)

        with suppress(MirrorError, Killed):
            self._run(dying, SyncRequest(TABLES, asked=True, sweep=None))

    @rule()
    def heal(self) -> None:
        self.tenant.faults.clear()
        report = run_sync(self.home, self.tenant, *TABLES)
        assert report.failed == ()
        assert differing(self.home, self.tenant.world, volatile=False, tables=COMPARED) == []

    @invariant()
    def every_published_table_can_be_read(self) -> None:
        newest = next(kept(self.home))
        assert isinstance(newest, Manifest)
        for state in newest.tables.values():
            if state.file:
                with duckdb.connect(data_dir(self.home) / state.file, read_only=True) as con:
                    assert con.execute(f'SELECT count(*) FROM "{state.name}"').fetchall() == [(state.rows,)]

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.heal()
            shutil.rmtree(self.home)

    def _truth(self) -> Keys:
        return keys_of_all(OF_DEVICES, partial(true_rows, self.tenant.world))

    def _held(self) -> Keys:
        return keys_of_all(OF_DEVICES, partial(mirrored, self.home))

    def _there_and_mirrored(self) -> Keys:
        truth, held = self._truth(), self._held()
        return {table: truth[table] & held[table] for table in OF_DEVICES}

    def _run(self, send: Any, request: SyncRequest) -> None:
        with open_store(self.home, "loopback", resources()) as store:
            run_request(store, client_of(send, self.tenant.fetch), request)


class ManyTimes(Mirroring):
    """The same, hunting longer."""


ONCE = settings(max_examples=1, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))
Mirroring.TestCase.settings = ONCE
ManyTimes.TestCase.settings = settings(ONCE, max_examples=4, stateful_step_count=10)
TestMirroring = pytest.mark.slow(Mirroring.TestCase)
TestMirroringManyTimes = pytest.mark.many(ManyTimes.TestCase)
