"""The service as systemd's: the unit as text, and what `systemctl` and `journalctl` are asked."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from kandji_cli.service.plan import Plan
from kandji_schema.errors import UsageError
from kandji_schema.installation import mirror_version

_HARDENING = """\
NoNewPrivileges=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
UMask=0077
LimitCORE=0
TasksMax=512
"""

TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  # named, not written to
"""Folders of which a service with `PrivateTmp` sees others: a home below one would not be there."""

_OF_THE_SYSTEM = """\
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
CapabilityBoundingSet=
"""

_PROPERTIES = ("ActiveState", "SubState", "StatusText", "MainPID", "NRestarts", "MemoryCurrent", "ActiveEnterTimestamp")


class Systemd:
    """The service manager of Linux: of who is signed in, or of the machine with ``system``."""

    needs = "systemctl"

    def __init__(self, *, system: bool) -> None:
        self._system = system

    def file(self, name: str) -> Path:
        """Return where the unit lies."""
        if self._system:
            return Path("/etc/systemd/system") / f"{name}.service"
        base = os.environ.get("XDG_CONFIG_HOME", "")
        folder = Path(base) if base.startswith("/") else Path.home() / ".config"
        return folder / "systemd" / "user" / f"{name}.service"

    def text(self, plan: Plan) -> str:
        """Return the unit; :class:`UsageError` for a path that cannot stand in one."""
        command = " ".join([quoted(plan.command[0]), *(quoted(part, variables=True) for part in plan.command[1:])])
        environment = "".join(
            f"Environment={quoted(f'{name}={value}')}\n" for name, value in sorted(plan.environment.items())
        )
        written = "".join(f"ReadWritePaths={quoted(str(folder))}\n" for folder in plan.folders)
        online = "Wants=network-online.target\nAfter=network-online.target\n" if plan.system else ""
        return (
            f"# Written by `kandji-mirror service install` of version {mirror_version()}.\n"
            "# Changes of yours: `systemctl edit` makes a file beside this one.\n"
            "[Unit]\nDescription=Mirror of a Kandji (Iru) tenant: keeps it in sync and answers\n"
            f"{online}StartLimitIntervalSec=600\nStartLimitBurst=5\n\n"
            "[Service]\nType=notify\nNotifyAccess=main\n"
            f"{f'User={plan.user}' + chr(10) if plan.user else ''}"
            f"ExecStart={command}\nExecReload={shutil.which('kill') or '/bin/kill'} -HUP $MAINPID\nWorkingDirectory=/\n"
            f"{environment}"
            "Restart=on-failure\nRestartSec=10\nWatchdogSec=120\nTimeoutStopSec=30\n"
            f"MemoryMax={plan.memory_mb}M\n{_HARDENING}PrivateTmp={'no' if _lies_in(TEMPORARY, plan) else 'yes'}\n"
            f"{_OF_THE_SYSTEM if plan.system else ''}"
            f"ProtectHome=read-only\n{written}\n"
            f"[Install]\nWantedBy={'multi-user' if plan.system else 'default'}.target\n"
        )

    def check(self) -> None:
        """Ask for nothing but an answer; :class:`ServiceFailed` where no manager listens."""
        try:
            self._ask("show", "--property=Version")
        except ServiceFailed as error:
            how = "" if self._system else " Yours begins with a session: sign in (not by su), or run it with --system."
            raise ServiceFailed(f"systemd does not answer here, nothing was changed.{how} {error}") from None

    def start(self, name: str, *, changed: bool) -> None:
        """Have the unit known, started now and at every start; one that changed is started again."""
        self._ask("daemon-reload")
        self._ask("enable", "--now", f"{name}.service")
        if changed:
            self._ask("restart", f"{name}.service")

    def stop(self, name: str) -> None:
        """End it and start it no more."""
        self._ask("disable", "--now", f"{name}.service")

    def forget(self, name: str) -> None:
        """Have the manager notice that the unit is gone."""
        self._ask("daemon-reload")
        self._tried("reset-failed", f"{name}.service")

    def state(self, name: str) -> dict[str, str]:
        """Return what the manager says of it; ``ActiveState`` is ``active`` where it runs."""
        asked = [f"--property={','.join(_PROPERTIES)}"]
        lines = self._ask("show", *asked, f"{name}.service").splitlines()
        return {
            key: value for key, _, value in (line.partition("=") for line in lines) if value not in {"", "[not set]"}
        }

    def runs(self, state: dict[str, str]) -> bool:
        """Tell of :meth:`state` whether it runs."""
        return state.get("ActiveState") in {"active", "reloading"}

    def logs(self, name: str, lines: int, *, follow: bool) -> Sequence[str]:
        """Return the command that shows the log."""
        scope = ["--unit"] if self._system else ["--user", "--unit"]
        return [
            "journalctl",
            *scope,
            f"{name}.service",
            "--lines",
            str(lines),
            "--output",
            "cat",
            *(["-f"] if follow else []),
        ]

    def advice(self, user: str) -> str:
        """Say what else is needed for a service that goes on when nobody is signed in."""
        if self._system or Path("/var/lib/systemd/linger", user).exists():
            return ""
        return f"It ends when you sign out and begins when you sign in; `loginctl enable-linger {user}` has it go on."

    def _ask(self, *words: str) -> str:
        return asked("systemctl", *([] if self._system else ["--user"]), *words)

    def _tried(self, *words: str) -> None:
        scope = [] if self._system else ["--user"]
        subprocess.run(["systemctl", *scope, *words], capture_output=True, check=False)  # noqa: S603, S607  # the user's


def _lies_in(above: Sequence[Path], plan: Plan) -> bool:
    """Tell whether the service writes below one of some folders."""
    return any(folder.is_relative_to(place) for folder in plan.folders for place in above)


def quoted(text: str, *, variables: bool = False) -> str:
    """Return a word of a unit in quotes: systemd reads ``%``, backslashes, quotes, and in arguments ``$``."""
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise UsageError(f"{text!r} has a control character in it, which cannot stand in a unit. Name another folder.")
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain.replace("$", "$$") if variables else plain}"'


def asked(*command: str) -> str:
    """Run a command of the service manager and return what it says; :class:`ServiceFailed` where it refuses."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # words of ours, no shell
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise ServiceFailed(f"`{' '.join(command)}` failed with {done.returncode}: {said or 'it said nothing'}")
    return done.stdout


class ServiceFailed(UsageError):
    """The service manager did not do what it was asked to."""

    exit_code = 1
