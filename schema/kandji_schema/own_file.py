"""The ``config.toml`` of the account itself: who starts a program can set HOME, and not where the account has its own.

The configuration folder follows HOME and XDG_CONFIG_HOME. Where that leads to another file than the one in the folder
that the system's list of accounts has, both are read, and of what counts in ``config.toml`` alone the stricter holds:
another file may ask for more, and for less only what the account's own file says too.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kandji_schema.setting import Setting, Trust
from kandji_schema.sources import Remark, Source


def own_folder() -> Path | None:
    """The configuration folder of this account whatever the environment says; None where nobody knows one."""
    try:
        import pwd  # Windows has none
    except ImportError:
        return None
    try:
        folder = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:  # a container without an entry for its user
        return None
    below = "Library/Application Support" if sys.platform == "darwin" else ".config"
    return folder / below / "kandji-mirror" if folder.is_absolute() else None


def is_another(own: Path, config: Path | None) -> bool:
    """Whether the account has a file of its own, and it is not the one that is read anyway."""
    try:
        return own.is_file() and not (config is not None and config.is_file() and own.samefile(config))
    except OSError:  # a folder that this user may not enter
        return False


def stricter(own: Source, other: Source, settings: Sequence[Setting]) -> tuple[Source, Source]:
    """What holds of the account's ``own`` file, and what is left of the ``other`` one, in the order of their rank.

    ``own`` is a file that is there: where it says nothing, it says the default.
    """
    policy = [s for s in settings if s.trust is Trust.OWNER]
    looser = [s.name for s in policy if s.name in other.values and _rank(s, other, own) < 0]
    asked = {s.name for s in policy if s.name in other.values and _rank(s, other, own) > 0}
    held = {s.name: own.values[s.name] for s in policy if s.name in own.values and s.name not in asked}
    told = Remark(
        f"{', '.join(looser)} in {other.origin.place} is ignored: {own.origin.place} is this account's own file, and "
        "says it otherwise. HOME or XDG_CONFIG_HOME leads elsewhere; set it in the account's own file.",
        grave=True,
    )
    kept = {name: value for name, value in other.values.items() if name not in looser}
    remarks = (*other.remarks, told) if looser else other.remarks
    return Source(own.origin, held), replace(other, values=kept, remarks=remarks)


def _rank(setting: Setting, other: Source, own: Source) -> int:
    """Above zero where the other file asks for more, below where for less, and where for another channel."""
    wanted = setting.parse(other.values[setting.name])
    given = setting.parse(own.values[setting.name]) if setting.name in own.values else setting.default
    if setting.choices:  # the strictest first
        return setting.choices.index(str(given)) - setting.choices.index(str(wanted))
    if isinstance(setting.default, bool):
        return int(wanted) - int(given)
    return (0 if wanted == given else -1) if given else 1
