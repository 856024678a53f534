"""Changes of a device, which comes, goes, checks in and is given to somebody, and of the MDM commands it is sent."""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from kandji_simulator.world.hardware import APPLE, RELEASES, Release
from kandji_simulator.world.management import Carry, Command, Status, activity_row, command_row
from kandji_simulator.world.records import Device, ItemState
from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.tenant_mutations import TenantMutations
from kandji_simulator.world.time import MICROSECOND, MINUTE, SECOND


class DeviceMutations(TenantMutations):
    """Each changes the world as an administrator or the device itself would."""

    def enrol(self, *, platform: str | None = "Mac", name: str | None = None) -> str:
        """Enrol a new device, already collected; return its id. ``platform`` None draws one."""
        device = self.join(platform=platform, name=name)
        insort(self.order, device.id)
        device.first_enrolled = device.enrolled = self.moment - MINUTE
        device.missing = device.removed = False
        device.lost_mode = ""
        device.collected = None
        self.check_in(device.id)
        self.audit.add(self.moment, "create", ("device", device.id), name=device.name)
        return device.id

    def join(self, *, platform: str | None, name: str | None) -> Device:
        """Add a new device with a past, not yet in order."""
        people = self.remember("people", lambda: list(self.users.values()))
        homes = self.remember("homes", lambda: list(self.blueprints.values()))
        number = self._numbers.get("device", 0)
        self._numbers["device"] = number + 1
        device = self.generator.device(
            number, self.moment, users=people, blueprints=homes, platform=platform, name=name
        )
        self.devices[device.id] = device
        self.touched.append(device.id)
        self.apps.prepare(device)
        return device

    def remove(self, device_id: str) -> None:
        """Delete the device: it is gone from every answer."""
        name = self.device(device_id).name
        del self.devices[device_id]
        del self.order[bisect_left(self.order, device_id)]
        self._managed.pop(device_id, None)
        self.waiting = [command for command in self.waiting if command.device_id != device_id]
        self.audit.add(self.moment, "delete", ("device", device_id), name=name)

    def rename(self, device_id: str, name: str) -> None:
        """Rename the device; no Prism row counts as written by that."""
        self.device(device_id).name = name

    def check_in(self, device_id: str) -> None:
        """Let the device be seen, and collected where Prism covers its platform."""
        device = self.device(device_id)
        stamp = self.stamp(device)
        if device.collected is None:
            device.first_collected = device.drawn_until = stamp
            self.apps.prepare(device)
        device.checked_in = self.moment
        device.collected = max(device.collected or 0, stamp) if device.platform in APPLE else None
        device.missing = False
        known = self.managed_so_far(device_id)
        if known:
            known.off = False

    def set_clock(self, device_id: str, ahead: timedelta) -> None:
        """Set the device's clock wrong: what it reports from now on is stamped so."""
        self.device(device_id).clock = ahead // MICROSECOND

    def update_os(self, device_id: str, version: str | None = None) -> None:
        """Install the newest release of its platform, or ``version``."""
        device = self.device(device_id)
        known = {r.version: r for r in RELEASES[device.platform]}
        newest = RELEASES[device.platform][-1]
        device.release = newest if version is None else known.get(version, Release(version, ""))
        self.check_in(device_id)

    def assign_user(self, device_id: str, user_id: str | None) -> None:
        """Assign another person, or none."""
        self.device(device_id).user = None if user_id is None else self.user(user_id)
        self.audit.add(self.moment, "update", ("device", device_id), user=user_id)

    def assign_blueprint(self, device_id: str, blueprint_id: str) -> None:
        """Assign another blueprint; ``""`` for none."""
        self.device(device_id).blueprint = self.blueprint(blueprint_id) if blueprint_id else None
        self.audit.add(self.moment, "update", ("device", device_id), blueprint_id=blueprint_id or None)

    def set_asset_tag(self, device_id: str, text: str) -> None:
        """Set another asset tag; ``""`` for none."""
        self.device(device_id).asset_tag = text
        self.audit.add(self.moment, "update", ("device", device_id), asset_tag=text or None)

    def set_tags(self, device_id: str, names: Sequence[str]) -> None:
        """Give the device exactly these tags, which must exist."""
        for name in names:
            self.tag(name)
        self.device(device_id).tags = tuple(names)
        self.audit.add(self.moment, "update", ("device", device_id), tags=list(names))

    def set_status(self, device_id: str, item_id: str, status: str) -> None:
        """Let the device check in and report another status for a library item or a parameter."""
        self.check_in(device_id)
        device = self.device(device_id)
        device.states = {**(device.states or {}), item_id: ItemState(status, self.moment)}


_FINAL = {Status.COMPLETED: "mdm_command_completed", Status.FAILED: "mdm_command_failed"}


class CommandMutations(DeviceMutations):
    """A command changes nothing until its device answers."""

    def queue_command(
        self,
        device: Device,
        action: str,
        kind: str,
        request: str,
        metadata: Mapping[str, Any],
        done: Carry,
    ) -> Command:
        """Queue one more command for a device; ``done`` is called when it answers, and may give an error."""
        number = self.count_up("command")
        identifier = uuid_from(stable_hash(self.seed, "command", number))
        command = Command(identifier, device.id, action, kind, request, self._next_request(), metadata, done)
        self.managed(device.id).commands.append(command)
        self.waiting.append(command)
        self.audit.add(self.moment, "update", ("device", device.id), "commands", command_type=kind, name=device.name)
        return command

    def is_waiting(self, device_id: str, action: str) -> bool:
        """Tell whether a command of this action still waits for the device."""
        return any(c.device_id == device_id and c.action == action for c in self.waiting)

    def answer_commands(
        self, device_id: str | None = None, status: Status = Status.COMPLETED, error: str = "The command failed."
    ) -> int:
        """Let all devices that can be reached answer what waits for them; or this one, whatever its state.

        ``error`` is what the device says where ``status`` is FAILED. Gives the number of commands answered.
        """
        answered = [c for c in self.waiting if c.device_id == device_id or (device_id is None and self._hears(c))]
        for command in answered:
            self._answer(command, status, error)
        return len(answered)

    def answer_in_time(self, after: timedelta) -> None:
        """Let devices that can be reached answer what waits for ``after``, and are at work on it after half of that."""
        for command in [c for c in self.waiting if self._hears(c)]:
            waited = timedelta(microseconds=self.moment - command.requested)
            if waited >= after:
                self._answer(command, Status.COMPLETED, "")
            elif waited >= after / 2 and command.status is Status.PENDING:
                self._answer(command, Status.RUNNING, "")

    def cancel_commands(self, device_id: str, actions: frozenset[str]) -> None:
        """Give up what waits for the device by one of these actions."""
        for command in [c for c in self.waiting if c.device_id == device_id and c.action in actions]:
            self._answer(command, Status.FAILED, "The command was cancelled.")

    def unlock(self, device_id: str) -> None:
        """Unlock the device, whose PIN somebody typed: it is of no use any more."""
        self.device(device_id)
        known = self.managed(device_id)
        known.locked, known.pin = False, None

    def _next_request(self) -> int:
        """Return now, but a millisecond after the one before: no two commands have the same time."""
        self.last_request = max(self.moment, self.last_request + SECOND // 1_000)
        return self.last_request

    def _hears(self, command: Command) -> bool:
        """Tell whether the device is switched on, enrolled and not missing."""
        device = self.devices[command.device_id]
        silent = device.missing or device.removed or device.checked_in is None
        return not silent and not self.managed(device.id).off

    def _answer(self, command: Command, status: Status, error: str) -> None:
        device = self.device(command.device_id)
        command.attempts += command.status is not Status.RUNNING
        command.pushed = max(self.moment, command.requested + SECOND // 3)
        command.status = status
        if not status.final:
            return
        self.waiting.remove(command)
        if status is Status.COMPLETED:
            self.check_in(device.id)  # whoever answers is seen
            error = command.done() or ""
        self._finish(device, command, error)

    def _finish(self, device: Device, command: Command, error: str) -> None:
        command.error = error
        command.status = Status.FAILED if error else Status.COMPLETED
        command.completed = max(self.moment, command.requested + SECOND)
        self.record_activity(device, _FINAL[command.status], command_row(command), command.completed)

    def record_activity(self, device: Device, kind: str, details: dict[str, Any], moment: int | None = None) -> None:
        """Record one more activity of the device."""
        when = self.moment if moment is None else moment
        entry = activity_row(device, when, self.count_up("activity"), kind, details)
        self.managed(device.id).activity.append(entry)
