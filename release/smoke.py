"""Try an installed kandji-mirror as somebody new does: version, demo, SQL, an AI client, a page. Stdlib alone.

python release/smoke.py COMMAND [WORDS ...]

COMMAND is the program to try, with the words that start it where it takes some (``uvx --from WHEEL kandji-mirror``).
Everything it writes goes into a folder whose name has a space and an umlaut, which is removed afterwards.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEVICES = 20
PATIENCE = 180.0
"""Seconds that one step may take; a slow machine compiles and unpacks at the first start."""

KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE", "UV_CACHE_DIR", "UV_TOOL_DIR", "UV_PYTHON")
"""What a program gets of the environment of who tries it; no setting of ours is among it."""


class NotWell(Exception):
    """A step did not do what it should."""


@dataclass(frozen=True)
class Installed:
    """A program to try, and the home of a person who never used it."""

    command: Sequence[str]
    person: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the little that the person's programs are started with."""
        plain = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {**plain, "HOME": str(self.person), "KANDJI_MIRROR_BUDGET_DIR": str(self.person / "budget")}

    def run(self, *arguments: str, said: str = "", home: Path | None = None) -> str:
        """Return what the program printed on stdout; :class:`NotWell` where it ended otherwise than with 0."""
        done = subprocess.run(
            [*self.command, *arguments],
            input=said,
            env=self._of(home),
            cwd=self.person,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise NotWell(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-600:]}")
        return done.stdout

    @contextmanager
    def started(self, *arguments: str, home: Path, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
        """Have the program run in the background, with its messages in ``log``, and end it at last."""
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*self.command, *arguments], env=self._of(home), cwd=self.person, stderr=file, stdin=subprocess.DEVNULL
            )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def _of(self, home: Path | None) -> Mapping[str, str]:
        return {**self.environment, **({"KANDJI_MIRROR_HOME": str(home)} if home else {})}


def version(installed: Installed, _: Path) -> str:
    """Ask for the version, and for the same as JSON."""
    line = installed.run("-V").strip()
    told = json.loads(installed.run("version", "--json"))
    _hold(f"version {told['kandji-mirror']} " in line, line)
    return line


def demo(installed: Installed, home: Path) -> str:
    """Sync a simulated tenant; ``demo`` chooses the home by itself, which is moved to where the rest looks."""
    printed = installed.run("demo", "--devices", str(DEVICES))
    (made,) = (path.parent for path in installed.person.rglob("store") if (path / "manifests").is_dir())
    made.rename(home)
    _hold("FileVault coverage" in printed, printed[-300:])
    return f"{DEVICES} devices"


def sql(installed: Installed, home: Path) -> str:
    """Ask one statement, of JSON, and a named query."""
    rows = json.loads(installed.run("sql", "SELECT count(*) AS n FROM devices", "--json", home=home))
    _hold(rows == [{"n": DEVICES}], str(rows))
    named = installed.run("query", "devices_by_platform", "--format", "csv", home=home)
    _hold(named.startswith("platform,"), named)
    return f"{rows[0]['n']} rows counted"


def mcp(installed: Installed, home: Path) -> str:
    """Greet the MCP server over stdio, list its tools and have it run a statement."""
    greeting = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "smoke", "version": "1"}}
    statement = {"name": "run_sql", "arguments": {"sql": "SELECT count(*) AS n FROM fleet"}}
    messages: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": greeting},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
        {"id": 3, "method": "tools/call", "params": statement},
    ]
    said = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)
    answers = {m.get("id"): m for m in map(json.loads, installed.run("mcp", said=said, home=home).splitlines())}
    tools = answers[2]["result"]["tools"]
    _hold(not answers[3]["result"].get("isError"), str(answers[3])[:300])
    return f"{len(tools)} tools"


def serve(installed: Installed, home: Path) -> str:
    """Serve on any free port, and read the page of the mirror's state with the token that was made."""
    log = installed.person / "serve.log"
    with installed.started("serve", "--no-sync", "--port", "0", home=home, log=log):
        url = _in_time(lambda: re.search(r'http://[^\s/"]+/', log.read_text(encoding="utf-8")), log)
        token = next(installed.person.rglob("http_token")).read_text(encoding="utf-8").strip()
        asked = urllib.request.Request(f"{url}status", headers={"Authorization": f"Bearer {token}"})  # noqa: S310  # our own
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310  # our own
            page = answer.read().decode()
    _hold("</html>" in page, page[-200:])
    return f"a page of {len(page):,} characters"


STEPS: tuple[Callable[[Installed, Path], str], ...] = (version, demo, sql, mcp, serve)


def _in_time(look: Callable[[], "re.Match[str] | None"], log: Path) -> str:
    for _ in range(int(PATIENCE * 10)):
        if found := look():
            return found.group()
        time.sleep(0.1)
    raise NotWell(f"It did not begin to serve: {log.read_text(encoding='utf-8')[-600:]}")


def _hold(true: bool, found: str) -> None:
    if not true:
        raise NotWell(f"Not what was expected: {found}")


def smoke(command: Sequence[str]) -> Iterator[str]:
    """Try each of :data:`STEPS` and tell what came; :class:`NotWell` at the first that does not do what it should."""
    with tempfile.TemporaryDirectory(prefix="zoë a ") as folder:
        installed = Installed(command, Path(folder).resolve())
        home = installed.person / "mirror"
        for step in STEPS:
            yield f"{step.__name__}: {step(installed, home)}"


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        for told in smoke(sys.argv[1:]):
            print(told, flush=True)
    except (NotWell, subprocess.TimeoutExpired, LookupError, ValueError) as error:
        sys.exit(f"smoke: {error}")
