"""The command line as a user meets it: a real process of its own."""

import atexit
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from forked_command import PATIENCE, CommandServer

from kandji_schema.setting import Trust
from kandji_schema.settings import SETTINGS
from kandji_schema.trust import own_folder

INTERPRETERS = ("LANG", "LC_", "PYTHONPATH", "PYTHONUTF8", "PYTHONIOENCODING", "TZ")
"""What Python or DuckDB read as they start."""

COMMAND = str(Path(sys.executable).with_name("kandji-mirror"))


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment without any setting of ours but these."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("KANDJI_")}
    folders = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "COLUMNS": "200"}
    plainly = {"PAGER": "cat", "NO_COLOR": "1"}
    nobodys = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}  # not the keychain of who runs the tests
    return {**plain, **folders, **plainly, **nobodys, "KANDJI_MIRROR_HOME": str(home), **settings}


def skip_where_own_file_counts(settings: Iterable[str]) -> None:
    """A developer's own ``config.toml`` is never made looser by that of a test, which is what is wanted elsewhere."""
    folder = own_folder()
    if (
        folder
        and (folder / "config.toml").exists()
        and {s.key for s in SETTINGS if s.trust is Trust.OWNER} & {*settings}
    ):
        pytest.skip(f"{folder / 'config.toml'} is this account's own and counts here, too")


def configure(home: Path, **settings: str) -> Path:
    """Write the owner's ``config.toml`` as :func:`environment` has it; returns its folder."""
    skip_where_own_file_counts(settings)
    folder = home / "config" / "kandji-mirror"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
    return folder


_SERVER = CommandServer()
atexit.register(_SERVER.close)


def run(home: Path, *arguments: str, said: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in an empty folder, so that no ``.env`` is found; ``said`` is its standard input.

    On Linux it is forked from a process that has imported everything, unless a setting is the interpreter's own.
    Elsewhere frameworks of the system may not be used after a fork.
    """
    settings_of_the_process = environment(home, **settings)
    if sys.platform == "linux" and not any(name.startswith(INTERPRETERS) for name in settings):
        return _SERVER.run(arguments, settings_of_the_process, home, said)
    return subprocess.run(
        [COMMAND, *arguments],
        env=settings_of_the_process,
        cwd=home,
        input=said,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
