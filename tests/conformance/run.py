"""The official inspector and the official conformance scenarios against this server, over stdio and over HTTP.

make conformance      needs Node 22.19 or newer, or npm, which then fetches one; skipped with a line otherwise

Scenarios that are expected to fail are listed beside this file, with the reason; one that passes all the same fails the
run, so that the lists stay true. Not part of `make check`: the tools are fetched by npm, into `.tools`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from forwarding import forwarding  # noqa: E402  # found by the path above
from http_serving import TOKEN, serving  # noqa: E402  # found by the path above
from support import make_tenant, run_sync  # noqa: E402

TOOLS = ROOT / ".tools"
MODULES = TOOLS / "node_modules"
PINNED = {
    "node": "22.23.3",
    "@modelcontextprotocol/inspector": "2.12.0",
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",
}
NPM = (
    "npm",
    "install",
    "--prefix",
    str(TOOLS),
    "--no-save",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--silent",
)
ERAS = ("legacy", "modern")
REVISIONS = ("2025-11-25", "2026-07-28")
"""Revisions of the protocol, one of each era."""

SERVER = str(Path(sys.executable).with_name("kandji-mirror-mcp"))
DEVICES = 20
COUNT = "sql=SELECT count(*) AS devices FROM devices"


@dataclass(frozen=True)
class Trial:
    """One command that must end with 0, and ``says`` that must be in its output, spaces aside."""

    name: str
    command: tuple[str, ...]
    says: str = ""

    def failure(self, home: Path) -> str:
        """Why it failed; empty where it did not. What the tools write down goes into ``home``."""
        variables = {**os.environ, "HOME": str(home), "PATH": f"{MODULES / '.bin'}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(
            self.command, cwd=home, env=variables, capture_output=True, text=True, timeout=600, check=False
        )
        said = done.stdout + done.stderr
        return "" if done.returncode == 0 and self.says in re.sub(r"\s", "", said) else said


def main() -> int:
    if reason := _without_tools():
        print(f"Conformance was skipped: {reason}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        report = run_sync(home, make_tenant(DEVICES, apps=3))
        if report.failed:
            raise RuntimeError(f"The simulated tenant could not be synced: {report.failed}")
        with serving(home, "--no-sync") as server, forwarding(server.url, TOKEN) as url:
            failed = sum([_failed(trial, home) for trial in _trials(home, url)])
    print(f"Conformance: {failed} failed." if failed else "Conformance: all as expected.")
    return min(failed, 1)


def _failed(trial: Trial, home: Path) -> bool:
    why = trial.failure(home)
    print(f"{'FAILED' if why else 'ok':<7} {trial.name}", flush=True)
    if why:
        print("\n".join(f"        {line}" for line in why.splitlines()[-60:]))
    return bool(why)


def _trials(home: Path, url: str) -> Iterator[Trial]:
    stdio = (SERVER, "-e", f"KANDJI_MIRROR_HOME={home}", "-e", "KANDJI_MIRROR_BACKGROUND=off")
    for transport, target in (("stdio", stdio), ("http", (url,))):
        for era in ERAS:
            inspector = ("mcp-inspector", "--cli", *target, "--protocol-era", era, "--method")
            yield Trial(f"inspector, {transport}, {era}: tools/list", (*inspector, "tools/list", "--strict"))
            call = (*inspector, "tools/call", "--tool-name", "run_sql", "--tool-arg", COUNT)
            yield Trial(f"inspector, {transport}, {era}: tools/call", call, says=f"[[{DEVICES}]]")
    for revision in REVISIONS:
        baseline = str(HERE / f"expected-failures-{revision}.yml")
        options = ("--suite", "all", "--spec-version", revision, "--expected-failures", baseline)
        yield Trial(f"scenarios of {revision}", ("conformance", "server", "--url", url, *options))


def _without_tools() -> str:
    """Why the tools cannot be had; empty where they are there, at the pinned versions."""
    if _installed() == PINNED:
        return ""
    if not shutil.which("npm"):
        return "there is no npm. Install Node 22.19 or newer."
    wanted = [f"{name}@{number}" for name, number in PINNED.items()]
    TOOLS.mkdir(exist_ok=True)
    done = subprocess.run((*NPM, *wanted), capture_output=True, text=True, check=False)
    return "" if _installed() == PINNED else f"npm could not fetch the tools. {done.stderr.strip()[-300:]}"


def _installed() -> dict[str, str]:
    files = {name: MODULES / name / "package.json" for name in PINNED}
    return {name: str(json.loads(file.read_text())["version"]) for name, file in files.items() if file.is_file()}


if __name__ == "__main__":
    sys.exit(main())
