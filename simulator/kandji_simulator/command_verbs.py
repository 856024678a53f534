"""Verbs of a world that are about MDM commands: they are queued, wait, and are answered by their device."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from kandji_simulator.chance import lot, uuid_from
from kandji_simulator.device_verbs import DeviceVerbs
from kandji_simulator.managed import Command, Status, command_row, happening
from kandji_simulator.moments import SECOND
from kandji_simulator.records import Device

_FINAL = {Status.COMPLETED: "mdm_command_completed", Status.FAILED: "mdm_command_failed"}


class CommandVerbs(DeviceVerbs):
    """A command changes nothing until its device answers."""

    def queue_command(
        self, device: Device, action: str, kind: str, request: str, metadata: Mapping[str, Any], done: Callable[[], str]
    ) -> Command:
        """One more command for a device; ``done`` is called when it answers, and gives an error or ""."""
        number = self.count_up("command")
        identifier = uuid_from(lot(self.seed, "command", number))
        command = Command(identifier, device.id, action, kind, request, self._next_request(), metadata, done)
        self.managed(device.id).commands.append(command)
        self.waiting.append(command)
        self.audit.add(self.moment, "update", ("device", device.id), "commands", command_type=kind, name=device.name)
        return command

    def is_waiting(self, device_id: str, action: str) -> bool:
        """Whether a command of this action still waits for the device."""
        return any(c.device_id == device_id and c.action == action for c in self.waiting)

    def answer_commands(
        self, device_id: str | None = None, status: Status = Status.COMPLETED, error: str = "The command failed."
    ) -> int:
        """All devices that can be reached answer what waits for them; or this one does, whatever its state.

        ``error`` is what the device says where ``status`` is FAILED. Gives the number of commands answered.
        """
        answered = [c for c in self.waiting if c.device_id == device_id or (device_id is None and self._hears(c))]
        for command in answered:
            self._answer(command, status, error)
        return len(answered)

    def answer_in_time(self, after: timedelta) -> None:
        """Devices that can be reached answer what waits for ``after``, and are at work on it after half of that."""
        for command in [c for c in self.waiting if self._hears(c)]:
            waited = timedelta(microseconds=self.moment - command.requested)
            if waited >= after:
                self._answer(command, Status.COMPLETED, "")
            elif waited >= after / 2 and command.status is Status.PENDING:
                self._answer(command, Status.RUNNING, "")

    def cancel_commands(self, device_id: str, actions: frozenset[str]) -> None:
        """What waits for the device by one of these actions is given up."""
        for command in [c for c in self.waiting if c.device_id == device_id and c.action in actions]:
            self._answer(command, Status.FAILED, "The command was cancelled.")

    def unlock(self, device_id: str) -> None:
        """Somebody typed the PIN: it is of no use any more."""
        self.device(device_id)
        known = self.managed(device_id)
        known.locked, known.pin = False, None

    def _next_request(self) -> int:
        """Now, but a millisecond after the one before: no two commands have the same time."""
        self.last_request = max(self.moment, self.last_request + SECOND // 1_000)
        return self.last_request

    def _hears(self, command: Command) -> bool:
        """Whether the device is switched on, enrolled and not missing."""
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
        self._finish(device, command, error if status is Status.FAILED else self._carried_out(command))

    def _carried_out(self, command: Command) -> str:
        """Whoever answers is seen."""
        self.check_in(command.device_id)
        return command.done()

    def _finish(self, device: Device, command: Command, error: str) -> None:
        command.error = error
        command.status = Status.FAILED if error else Status.COMPLETED
        command.completed = max(self.moment, command.requested + SECOND)
        self.happen(device, _FINAL[command.status], command_row(command), command.completed)

    def happen(self, device: Device, kind: str, details: dict[str, Any], moment: int | None = None) -> None:
        """One more activity of the device."""
        when = self.moment if moment is None else moment
        entry = happening(device, when, self.count_up("activity"), kind, details)
        self.managed(device.id).activity.append(entry)
