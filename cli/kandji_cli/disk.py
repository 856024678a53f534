"""``disk`` and ``gc``: what takes how much of the data directory, and what may go."""

from datetime import UTC, datetime

from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import FOR_EYES, print_rows, say, say_document, tell, warn
from kandji_mirror.store.disk_use import collect, disk_use, freed_by
from kandji_schema.manifest import newest_whole
from kandji_schema.settings import load
from kandji_schema.text import counted, size

SHORTER = (365, 180, 90, 30)
"""Days of history of which it is told what they would free."""

_LISTED = 20


def show_disk(form: str) -> None:
    """Print a line a part; for eyes also what is free, what bounds it, and what a shorter history would free."""
    settings = settings_to_read()
    bounds, parts = settings.disk, disk_use(settings.home)
    read = size if form in FOR_EYES else int
    print_rows(("part", "files", "bytes", "what"), [(p.name, p.files, read(p.bytes), p.what) for p in parts], form)
    reached = bounds.reached(settings.home)
    if reached:
        warn([reached])
    if form not in FOR_EYES:
        return
    import shutil  # only for eyes

    total, free = sum(part.bytes for part in parts), shutil.disk_usage(settings.home).free
    limit = f", KANDJI_MIRROR_DISK_LIMIT is {size(bounds.limit)}" if bounds.limit else ""
    tell(f"{size(total)} in {settings.home}{limit}; {size(free)} are free on its disk.")
    manifest, _ = newest_whole(settings.home)
    days = [day for day in SHORTER if day < settings.mirror_history_days]
    freed = {day: freed for day, freed in freed_by(manifest.history, datetime.now(UTC), days).items() if freed}
    for day, each in freed.items():
        tell(f"KANDJI_MIRROR_HISTORY_DAYS={day} instead of {settings.mirror_history_days} would free {size(each)}.")
    if manifest.history and not freed:
        tell("A shorter history would free nothing to speak of.")


def collect_garbage(*, dry_run: bool, as_json: bool) -> None:
    """Remove what nothing names, or say what would go."""
    settings = load()
    found = collect(settings.home, dry_run=dry_run)
    total = sum(each for _, each in found)
    if as_json:
        listed = [{"file": path.relative_to(settings.home).as_posix(), "bytes": each} for path, each in found]
        say_document({"removed": not dry_run, "files": listed, "bytes": total})
        return
    for path, each in found[:_LISTED] if dry_run else ():
        say(f"{path.relative_to(settings.home)} ({size(each)})")
    if dry_run and len(found) > _LISTED:
        say(f"and {len(found) - _LISTED} more")
    verb = "would go" if dry_run else "removed"
    tell(f"{counted(len(found), 'file')} {verb}, {size(total)}." if found else "There is nothing that may go.")
