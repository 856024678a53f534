"""``kandji-mirror service``: `serve` under systemd or launchd, installed, looked at, and removed."""

import difflib
import getpass
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from kandji_cli.output import say, say_document, tell
from kandji_cli.service.launchd import Launchd
from kandji_cli.service.plan import NAME, Plan, chosen_tenant, plan_for_system, plan_for_user, service_name
from kandji_cli.service.systemd import ServiceFailed, Systemd
from kandji_schema.errors import ConfigurationError, UsageError
from kandji_schema.files import make_folder

__all__ = ["install", "installed", "logs", "remove", "show", "status"]

Manager = Systemd | Launchd


def show(kind: str, *, system: bool, user: str) -> None:
    """Print the unit or property list that :func:`install` would write; nothing is changed."""
    manager = _manager(kind, system=system, needed=False)
    planned = _plan(system=system, user=user, looking=True)
    say(manager.text(planned).rstrip("\n"))
    for note in planned.notes:
        tell(note)


def install(kind: str, *, system: bool, user: str) -> None:
    """Write it, start the service now and at every start; a second time only what changed is changed, and told."""
    manager = _manager(kind, system=system)
    _refuse_without_root(system=system)
    planned = _plan(system=system, user=user)
    file, text = manager.file(planned.name), manager.text(planned)
    manager.check()
    before = _read(file)
    _make_folders(planned)
    if text != before:
        _write(file, text)
    manager.start(planned.name, changed=before is not None and text != before)
    _tell_installed(file, before, text)
    for note in (*planned.notes, manager.advice(user or getpass.getuser())):
        if note:
            tell(note)
    if system:
        tell(f"It syncs once its user has a token: `sudo -H -u {planned.user} {planned.command[0]} login`.")
    where = " --system" if system else ""
    tell(f"Look at it: `{NAME} service status{where}`, `{NAME} service logs{where} --follow`.")


def status(kind: str, *, system: bool, as_json: bool) -> None:
    """Print how the service is; :class:`ServiceFailed` where it does not run, or is not there."""
    manager, name = _manager(kind, system=system), service_name(chosen_tenant())
    file = manager.file(name)
    if not file.exists():
        raise ServiceFailed(f"No service is installed ({file} is not there). `{NAME} service install` does that.")
    state = manager.state(name)
    running = manager.runs(state)
    if as_json:
        say_document({"file": str(file), "running": running, **state})
    else:
        say(f"{'Running' if running else 'Not running'}: {file}")
        for key, value in state.items():
            say(f"  {key}: {value}")
    if not running:
        raise ServiceFailed(f"The service does not run. `{NAME} service logs` tells why.")


def logs(kind: str, *, system: bool, lines: int, follow: bool) -> None:
    """Show the log by the system's own program until it ends, or for ever with ``follow``."""
    manager = _manager(kind, system=system)
    command = list(manager.logs(service_name(chosen_tenant()), lines, follow=follow))
    if not shutil.which(command[0]):
        raise ConfigurationError(f"There is no `{command[0]}` on this machine to read the log with.")
    sys.stdout.flush()
    done = subprocess.run(command, check=False)  # noqa: S603  # words of ours, no shell
    if done.returncode:
        raise ServiceFailed(f"`{' '.join(command)}` ended with {done.returncode}.")


def remove(kind: str, *, system: bool) -> None:
    """End the service and take its file away; the mirror, the settings and the token stay."""
    manager, name = _manager(kind, system=system), service_name(chosen_tenant())
    _refuse_without_root(system=system)
    file = manager.file(name)
    if not file.exists():
        tell(f"No service is installed ({file} is not there); nothing was changed.")
        return
    manager.stop(name)
    file.unlink()
    manager.forget(name)
    tell(f"The service is ended and {file} is removed. The mirror, the settings and the token stay as they are.")


def installed() -> Path | None:
    """Return the file of the service that keeps the chosen tenant, or all, in sync; None where none is installed."""
    with suppress(ConfigurationError):  # of systems without such services
        for system in (False, True):
            manager = _manager("auto", system=system, needed=False)
            for name in dict.fromkeys((service_name(chosen_tenant()), service_name())):
                if (file := manager.file(name)).exists():
                    return file
    return None


def _manager(kind: str, *, system: bool, needed: bool = True) -> Manager:
    """Return the service manager of this machine, or the one that was named."""
    kind = kind if kind != "auto" else {"linux": "systemd", "darwin": "launchd"}.get(sys.platform, "")
    if not kind:
        raise ConfigurationError(
            f"Services are made for systemd (Linux) and launchd (macOS); {sys.platform} has neither. Have its own "
            f"scheduler start `{NAME} serve` at sign-in."
        )
    manager: Manager = Systemd(system=system) if kind == "systemd" else Launchd(system=system)
    if needed and not shutil.which(manager.needs):
        raise ConfigurationError(
            f"There is no `{manager.needs}` here, so no {kind} runs services (a container has its engine for that). "
            f"`{NAME} service show` prints what would be installed."
        )
    return manager


def _plan(*, system: bool, user: str, looking: bool = False) -> Plan:
    if user and not system:
        raise UsageError("--user is for a service of the machine. Give --system too, or leave it out.")
    return plan_for_system(user or NAME) if system else plan_for_user(looking=looking)


def _refuse_without_root(*, system: bool) -> None:
    if system and os.geteuid() != 0:
        raise UsageError(
            "A service of the machine is installed and removed by root: sudo. Without --system it is yours."
        )


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _write(file: Path, text: str) -> None:
    """Write the file at one moment. It has no secret in it, and a service manager may be another user."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text, encoding="utf-8")
    beside.chmod(0o644)
    beside.replace(file)


def _make_folders(plan: Plan) -> None:
    """Make what the service writes into: where all else is read-only it could not make them itself."""
    for folder in plan.folders:
        new = [part for part in (folder, *folder.parents) if not part.exists()]
        make_folder(folder)
        if plan.user:
            for part in new:
                shutil.chown(part, plan.user)


def _tell_installed(file: Path, before: str | None, text: str) -> None:
    if before == text:
        tell(f"{file} is as it was; the service is enabled and started.")
        return
    tell(f"{file} is {'new' if before is None else 'changed'}; the service is enabled and started.")
    if before is not None:
        changed = difflib.ndiff(before.splitlines(), text.splitlines())
        for line in changed:
            if line.startswith(("+ ", "- ")):
                tell(f"  {line}")
