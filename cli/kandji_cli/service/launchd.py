"""The service as launchd's: the property list, and what `launchctl` is asked."""

import os
import plistlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kandji_cli.service.plan import Plan
from kandji_cli.service.systemd import asked
from kandji_schema.errors import UsageError
from kandji_schema.installation import mirror_version

PREFIX = "local."
"""Of the label, beside which the service is called as elsewhere."""

OPEN_FILES = 10_240


class Launchd:
    """The service manager of macOS: an agent of who is signed in, or a daemon of the machine with ``system``."""

    needs = "launchctl"

    def __init__(self, *, system: bool) -> None:
        self._system = system

    def file(self, name: str) -> Path:
        """Return where the property list lies."""
        folder = Path("/Library/LaunchDaemons") if self._system else Path.home() / "Library" / "LaunchAgents"
        return folder / f"{PREFIX}{name}.plist"

    def text(self, plan: Plan) -> str:
        """Return the property list; :class:`UsageError` for a path that cannot stand in one."""
        log = str(self.log_file(plan.name))
        document: dict[str, Any] = {
            "Label": f"{PREFIX}{plan.name}",
            "ProgramArguments": list(plan.command),
            "EnvironmentVariables": dict(sorted(plan.environment.items())),
            "WorkingDirectory": "/",
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 30,
            "ExitTimeOut": 30,
            "ProcessType": "Background",
            "Umask": 0o077,
            "SoftResourceLimits": {"Core": 0, "NumberOfFiles": OPEN_FILES},
            "HardResourceLimits": {"Core": 0},
            "StandardOutPath": log,
            "StandardErrorPath": log,
        }
        if plan.user:
            document["UserName"] = plan.user
        try:
            written = plistlib.dumps(document, sort_keys=False).decode()
        except ValueError as error:
            raise UsageError(f"A path or setting cannot stand in a property list: {error}.") from None
        return written.replace("<plist", f"<!-- Written by kandji-mirror {mirror_version()} -->\n<plist", 1)

    def log_file(self, name: str) -> Path:
        """Return the file of the log; launchd makes it and macOS's newsyslog may rotate it."""
        folder = Path("/") if self._system else Path.home()
        return folder / "Library" / "Logs" / "kandji-mirror" / f"{name}.log"

    def check(self) -> None:
        """Ask for nothing but an answer; :class:`ServiceFailed` where no launchd listens for this user."""
        asked("launchctl", "print", self._domain)

    def start(self, name: str, *, changed: bool) -> None:
        """Have it known, started now and at every start; one that changed is started again."""
        self.log_file(name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if changed:
            self._tried("bootout", f"{self._domain}/{PREFIX}{name}")
        elif self._tried("print", f"{self._domain}/{PREFIX}{name}") == 0:
            return
        asked("launchctl", "enable", f"{self._domain}/{PREFIX}{name}")
        asked("launchctl", "bootstrap", self._domain, str(self.file(name)))

    def stop(self, name: str) -> None:
        """End it and start it no more."""
        self._tried("bootout", f"{self._domain}/{PREFIX}{name}")

    def forget(self, name: str) -> None:
        """Nothing is left to forget."""

    def state(self, name: str) -> dict[str, str]:
        """Return what launchd says of it; ``state`` is ``running`` where it runs."""
        lines = asked("launchctl", "print", f"{self._domain}/{PREFIX}{name}").splitlines()
        found = (line.strip().partition(" = ") for line in lines)
        return {key: value for key, _, value in found if key in {"state", "pid", "runs", "last exit code"}}

    def runs(self, state: dict[str, str]) -> bool:
        """Tell of :meth:`state` whether it runs."""
        return state.get("state") == "running"

    def logs(self, name: str, lines: int, *, follow: bool) -> Sequence[str]:
        """Return the command that shows the log."""
        return ["tail", "-n", str(lines), *(["-F"] if follow else []), str(self.log_file(name))]

    def advice(self, user: str) -> str:  # as of systemd
        """Say what else is needed."""
        return "" if self._system else "It runs while you are signed in; --system installs one that always does."

    @property
    def _domain(self) -> str:
        return "system" if self._system else f"gui/{os.getuid()}"

    def _tried(self, *words: str) -> int:
        return subprocess.run(["launchctl", *words], capture_output=True, check=False).returncode  # noqa: S603, S607  # as above
