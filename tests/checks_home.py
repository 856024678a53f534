"""A home with checks, at a time of the test's own; statements run in this process, as where no other can be bounded."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from reads_home import publish

from kandji_schema.manifest import Manifest
from kandji_schema.settings import Settings, load
from kandji_watch import Round
from kandji_watch.asking import Asker
from kandji_watch.round import RoundReport

BEGAN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

MACS = """
[check.macs]
title = "Macs of the lab"
sql = "FROM {macs} ORDER BY device_id"
key = ["device_id"]
columns = ["serial_number", "device_name"]
"""
"""A check that finds the Macs that :meth:`Watched.macs` names."""


def mac(name: str, **facts: Any) -> dict[str, Any]:
    """A row of ``devices`` for :data:`MACS`."""
    return {"device_id": name, "serial_number": name.upper(), "device_name": f"Mac {name}", "platform": "Mac", **facts}


class OpenAsker(Asker):
    """One that stays open from one round to the next: to open the mirror takes longer than all else of a round."""

    def close(self) -> None:
        return


@cache
def _any_mirror() -> OpenAsker:
    """A mirror for statements that read no table: it is opened once a process."""
    home = Path(tempfile.mkdtemp(prefix="checks-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    publish(home, {"devices": [mac("d1")]})
    return OpenAsker(load({"KANDJI_MIRROR_HOME": str(home)}, folder=home, config=home / "config.toml"), here=True)


class Watched:
    """The home, its time, and what its file target was told; ``settings`` are those that are not the default."""

    def __init__(self, home: Path, checks: str = MACS, **settings: str) -> None:
        self.home = home
        self.now = BEGAN
        self.settings: Settings = load(
            {"KANDJI_MIRROR_HOME": str(home), **settings}, folder=home, config=home / "config.toml"
        )
        self._manifest: Manifest | None = None
        self._asker = OpenAsker(self.settings, here=True)
        self.file = home / "told.jsonl"
        self._macs = ""
        self.write(checks)

    def write(self, checks: str, *, tell: str = '["log"]', top: str = "") -> None:
        """Make these the checks, beside a target that is a file; ``top`` is what stands before all tables."""
        self._checks, self._tell = checks, tell
        path = self.home / "checks.toml"
        target = f'[target.log]\nkind = "file"\npath = "{self.file}"\n'
        text = f"tell = {tell}\n{top}\n{target}\n{checks.replace('{macs}', self._macs)}"
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        path.chmod(0o600)

    def hold(self, *, anew: bool = False, **rows: Sequence[Mapping[str, Any]]) -> None:
        """Publish these tables; ``anew``: and no others."""
        number = self._manifest.generation + 1 if self._manifest else 1
        self._manifest = publish(self.home, rows, number, keep=None if anew else self._manifest)

    def macs(self, *names: str) -> None:
        """Have the check find these Macs, in a statement of its own that reads no table."""
        self._asker = _any_mirror()
        values = ", ".join(f"('{name}', '{name.upper()}', 'Mac {name}')" for name in names)
        rows = f"VALUES {values}" if names else "SELECT '' AS a, '' AS b, '' AS c WHERE false"
        self._macs = f"({rows}) AS t(device_id, serial_number, device_name)"
        self.write(self._checks, tell=self._tell)

    def round(self, *names: str, after: timedelta = timedelta(), everything: bool = True) -> RoundReport:
        """Let so much time pass, then do a round."""
        self.now += after
        one = Round(self.settings, clock=lambda: self.now, asker=lambda _: self._asker)
        return one.run(names, everything=everything)

    @property
    def told(self) -> list[dict[str, Any]]:
        """What the file was told since this was asked last."""
        if not self.file.exists():
            return []
        found = [json.loads(line) for line in self.file.read_text().splitlines()]
        self.file.unlink()
        return found
