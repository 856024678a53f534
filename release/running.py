"""Programs that a release starts, and the environments of Python that it makes for them."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Failed(Exception):
    """A step did not end as it should; the text is for the person who makes the release."""


def run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> str:
    """Return what a program printed; :class:`Failed` with the end of what it said where its exit code is not 0."""
    asked = [str(part) for part in command]
    try:
        done = subprocess.run(
            asked, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Failed(f"{asked[0]}: {error.strerror}") from None
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise Failed(f"{' '.join(asked[:6])} ended with {done.returncode}:\n{said}")
    return done.stdout


def program(environment: Path, name: str) -> Path:
    """Return a program of an environment, wherever the system keeps it."""
    return environment / ("Scripts" if sys.platform == "win32" else "bin") / name


def make_environment(folder: Path, python: str | Path = sys.executable) -> Path:
    """Make an empty environment of a Python; it has pip, as most people's have."""
    run(python, "-m", "venv", folder)
    return folder


def tools(root: Path = ROOT) -> Path:
    """Return the environment of ``tools.lock``, made once for each state of that list."""
    lock = root / "release" / "tools.lock"
    state = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = root / ".tools" / f"release-{state}"
    if not (folder / "ready").is_file():
        make_environment(folder)
        run(program(folder, "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", lock)
        (folder / "ready").touch()
    return folder


def digest(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
