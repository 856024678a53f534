"""Where a system has no POSIX (Windows) every module can be imported, and what needs it refuses in one sentence.

A child of ours stands in for such a system: once the libraries are loaded, which have their own ways there, it knows no
module, signal or function of POSIX any more.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from reads_home import small_fleet

PACKAGES = [
    "kandji_schema",
    "kandji_mirror",
    "kandji_queries",
    "kandji_watch",
    "kandji_mcp_server",
    "kandji_web",
    "kandji_cli",
    "kandji_simulator",
]

EVERY_MODULE = """
import importlib, json, pkgutil, sys

packages, libraries, home = json.loads(sys.argv[1])

def every_module():
    for package in packages:
        yield package
        paths = importlib.util.find_spec(package).submodule_search_locations
        yield from (m.name for m in pkgutil.walk_packages(paths, f"{package}.") if not m.name.endswith("__main__"))
"""

LIBRARIES = """
for module in every_module():
    importlib.import_module(module)
print(json.dumps([name for name in sys.modules if name.partition(".")[0] not in {*packages, "__main__"}]))
"""

WITHOUT_POSIX = """
import importlib.util, os, signal

for library in libraries:
    importlib.import_module(library)

POSIX = {"fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"}

class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name in POSIX:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in POSIX & sys.modules.keys():
    del sys.modules[name]
sys.meta_path.insert(0, Nowhere())
sys.platform = "win32"
for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU"):
    delattr(signal, name)
for name in ("fork", "killpg", "setsid"):
    delattr(os, name)

failed = {}
for module in every_module():
    try:
        importlib.import_module(module)
    except Exception as error:
        failed[module] = f"{type(error).__name__}: {error}"

import anyio
from kandji_mcp_server.context import ServerContext
from kandji_queries.reader import Reader
from kandji_schema.errors import MirrorError
from kandji_schema.settings import Settings
from pathlib import Path

with Reader(Path(home)) as reader:
    devices = reader.run("SELECT count(*) FROM devices").rows[0][0]
context = ServerContext(Settings(mirror_home=home))
try:
    anyio.run(context.run_sql, "SELECT 1")
    refusal = None
except MirrorError as error:
    refusal = error.to_dict()
print(json.dumps({"failed": failed, "imported": len(list(every_module())), "devices": devices, "refusal": refusal}))
"""


def child(program: str, *arguments: object) -> Any:
    """The JSON that a program of a child prints."""
    command = [sys.executable, "-c", EVERY_MODULE + program, json.dumps([PACKAGES, *arguments])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home: Path = tmp_path_factory.mktemp("home")
    small_fleet(home)
    return child(WITHOUT_POSIX, child(LIBRARIES, [], ""), str(home))


@pytest.mark.heavy
def test_every_module_of_ours_can_be_imported(found: Any) -> None:
    assert found["failed"] == {}
    assert found["imported"] > 200


@pytest.mark.heavy
def test_the_mirror_can_be_read(found: Any) -> None:
    assert found["devices"] > 0


@pytest.mark.heavy
def test_statements_of_ai_clients_are_refused_in_one_sentence_with_a_documented_code(found: Any) -> None:
    assert found["refusal"]["exit_code"] == 3
    assert found["refusal"]["message"].startswith("Statements of AI clients cannot be run on Windows")
