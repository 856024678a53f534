"""Whether another user may have written a file, or could put another one in its place: as ssh's StrictModes asks.

A file that says who may act on devices, or that holds a secret, is believed where it, every folder above it and every
link on the way to it belong to this user or to root, and nobody else may write them. Rights of a group count as those
of others: who else is in a group, also in a user's own one, is not in the file system. A folder with the sticky bit
may be everyone's, since there each may rename and remove only what is theirs. As with ssh the user's own folder is the
last one that is looked at: who may replace that has everything.

A file of the working directory is asked less, see :func:`strangers`: it may set little anyway. Windows has other
rights, and a profile there is its user's alone.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kandji_schema.errors import ConfigurationError

WRITABLE = 0o022
"""The rights of everyone but the owner to write."""

_MOST_LINKS = 40  # as Linux has it; a longer way cannot be opened either


def refuse_replaceable(path: Path) -> None:
    """Raise :class:`ConfigurationError` where :func:`flaw` finds one."""
    found = flaw(path)
    if found:
        raise ConfigurationError(f"{path} is not used: {found}")


def refuse_removable(path: Path) -> None:
    """Do the same where the folder is there, be the file there or not: others may have removed it."""
    with suppress(OSError):  # a folder that this user may not enter
        if path.parent.is_dir():
            refuse_replaceable(path)


def flaw(path: Path) -> str | None:
    """Return why somebody else may have written or could replace it, which rule that breaks and what mends it.

    None where nobody could, or where it cannot be looked at: then it cannot be read either. Of a path that is not
    there the folders that are there count.
    """
    if os.name != "posix":
        return None
    above = _above_own_folder()
    try:
        return next((found for place in _way(path) if place not in above and (found := _flaw_of(place))), None)
    except OSError:
        return None


def strangers(path: Path) -> str | None:
    """Return why a file of the working directory may be a stranger's; None where it is not. Its folder may be any."""
    if os.name != "posix":
        return None
    found = path.stat()
    if os.geteuid() not in {0, found.st_uid} and found.st_uid != 0:
        return "it belongs to another user"
    return f"everyone may write it (chmod o-w '{path}')" if found.st_mode & 0o002 else None


def _flaw_of(place: Path) -> str | None:
    found = place.lstat()
    what = f"{place} (mode {stat.S_IMODE(found.st_mode):04o}, owner {_name(found.st_uid)})"
    if found.st_uid not in {0, os.geteuid()}:
        return f"{what} belongs to another user. It must belong to {_allowed()}. {_handing_over(place, found.st_uid)}"
    if stat.S_ISLNK(found.st_mode) or not found.st_mode & WRITABLE:
        return None
    if stat.S_ISDIR(found.st_mode):
        if found.st_mode & stat.S_ISVTX:
            return None
        rule = "so another user could put another file there. It must be a folder that nobody else may write"
    else:
        rule = "so another user may have written it. It must be a file that nobody else may write"
    who = "everyone" if found.st_mode & 0o002 else "its group"
    return f"{who} may write {what}, {rule}. Run: chmod go-w '{place}'"


def _allowed() -> str:
    return f"{_name(os.geteuid())} or root" if os.geteuid() else "root, who runs this"


def _handing_over(place: Path, owner: int) -> str:
    command = f"look at what it says and run: chown {_name(os.geteuid())} '{place}'"
    if os.geteuid() == 0:
        return f"Run this as {_name(owner)}, without sudo. Or, if root is to use it, {command}"
    return f"If you put it there, {command.replace('chown', 'sudo chown', 1)}"


def _way(path: Path) -> Iterator[Path]:
    """Walk the root, each folder below it and the path itself; of a link also the way to what it leads to."""
    whole = path.absolute()
    at, left, links = Path(whole.anchor), [*reversed(whole.parts[1:])], 0
    yield at
    while left:
        part = left.pop()
        here = at.parent if part == ".." else at / part
        yield here
        if not here.is_symlink():
            at = here
        elif (links := links + 1) > _MOST_LINKS:
            return
        else:
            target = here.readlink()
            if target.is_absolute():
                at = Path(target.anchor)
                yield at
            left += reversed(target.parts[1:] if target.is_absolute() else target.parts)


def _above_own_folder() -> set[Path]:
    """Return the folders above the one that the list of accounts has for this user, whatever the environment says."""
    try:
        import pwd  # Windows has none

        own = Path(pwd.getpwuid(os.geteuid()).pw_dir)
        return {*own.parents, *own.resolve().parents} if own.is_absolute() else set()
    except (ImportError, KeyError, OSError, RuntimeError):  # a container without an entry for its user
        return set()


def _name(uid: int) -> str:
    import pwd  # Windows has none

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
