"""The command line in processes that are forked from one which has imported everything, one of them a test worker.

What is tested is a process all the same, with its own streams, environment, folder and exit code. What it saves is the
interpreter's start and half a second of imports; tests that start ``kandji-mirror`` itself have those.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

PACKAGES = (
    "kandji_cli",
    "kandji_schema",
    "kandji_mirror",
    "kandji_queries",
    "kandji_watch",
    "kandji_mcp_server",
    "kandji_web",
    "kandji_simulator",
)
PATIENCE = 200.0
"""Seconds: a sync takes a minute and more where the machine has other things to do."""
_LENGTH = 8


class CommandServer:
    """The pytest worker's end: starts the process that forks with the first command, and is safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None

    def close(self) -> None:
        """End the process that forks; it ends with our end of the socket."""
        if self._control is not None:
            self._control.close()
            self._process.wait()

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        said: str = "",
        seconds: float = PATIENCE,
    ) -> subprocess.CompletedProcess[str]:
        """Do what :func:`subprocess.run` does with these arguments of ``kandji-mirror`` and this standard input."""
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(said.encode())
            stdin.seek(0)
            code = self._ended(arguments, environment, folder, [f.fileno() for f in (stdin, out, err)], seconds)
            texts = [_text_of(stream) for stream in (out, err)]
        return subprocess.CompletedProcess([*arguments], code, *texts)

    def _ended(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, files: list[int], seconds: float
    ) -> int:
        asked = {"arguments": [*arguments], "environment": {**environment}, "folder": str(folder)}
        ours, theirs = os.pipe()
        with os.fdopen(ours) as status:
            try:
                self._send(json.dumps(asked).encode(), [*files, theirs])
            finally:
                os.close(theirs)
            pid = int(status.readline() or 0)
            assert pid, "the process that forks has ended; it said why on stderr"
            if not select.select([status], [], [], seconds)[0]:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([*arguments], seconds)
            return int(status.readline())

    def _send(self, message: bytes, files: list[int]) -> None:
        with self._lock:
            if self._control is None:
                self._control, self._process = _started()
            socket.send_fds(self._control, [len(message).to_bytes(_LENGTH, "big")], files)
            self._control.sendall(message)


def _started() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("KANDJI_")}
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-X", "utf8", __file__]
        return ours, subprocess.Popen(command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd="/", env=plain)


def _text_of(stream: Any) -> str:
    stream.seek(0)
    text: str = stream.read().decode()
    return text.replace("\r\n", "\n")  # as subprocess does with text=True


# -- the process that forks ----------------------------------------------------------------------------------------


class _Forking:
    """Forks for each message on the control socket; tells the process's number, and its exit code when it ended."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._waiting: dict[int, int] = {}
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)

    def next_command(self) -> dict[str, Any] | None:
        """Return in a forked process what it is to do, and None in this one when nobody asks any more."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno())
        while True:
            ready, _, _ = select.select([self._control, self._woken], [], [])
            if self._woken in ready:
                self._woken.recv(4096)
                self._reap()
            if self._control in ready:
                header, files, _, _ = socket.recv_fds(self._control, _LENGTH, 4)
                if not header:
                    return None
                asked = json.loads(self._control.recv(int.from_bytes(header, "big"), socket.MSG_WAITALL))
                pid = os.fork()
                if not pid:
                    return self._become(asked, files)
                with suppress(BrokenPipeError):
                    os.write(files[3], f"{pid}\n".encode())
                self._waiting[pid] = files.pop()
                for file in files:
                    os.close(file)

    def _reap(self) -> None:
        for pid in [*self._waiting]:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                file = self._waiting.pop(pid)
                with suppress(BrokenPipeError):  # nobody waits any longer
                    os.write(file, f"{os.waitstatus_to_exitcode(status)}\n".encode())
                os.close(file)

    def _become(self, asked: dict[str, Any], files: list[int]) -> dict[str, Any]:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for inner in (self._control, self._woken, self._wake):
            inner.close()
        for number, file in enumerate(files[:3]):
            os.dup2(file, number)
        for file in [*files, *self._waiting.values()]:
            os.close(file)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.path[1:1] = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        return asked


def _import_everything() -> None:
    root = Path(__file__).parents[1]
    # of a package that came after the environment was made
    sys.path.extend(str(found.parent) for name in PACKAGES for found in root.glob(f"*/{name}"))
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith(("__main__", "workers.child")):
                importlib.import_module(module.name)


def _main() -> None:
    control = socket.socket(fileno=os.dup(0))
    del sys.path[0]  # the folder of the tests
    time.tzset()
    _import_everything()
    gc.freeze()  # a collection in a forked process would copy every page
    asked = _Forking(control).next_command()
    code = 0
    if asked is not None:
        from kandji_cli import run

        sys.argv = [str(Path(sys.executable).with_name("kandji-mirror")), *asked["arguments"]]
        try:
            run()
        except SystemExit as end:
            code = int(end.code or 0)
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # without taking apart what it imported: that takes longer than most commands


if __name__ == "__main__":
    _main()
