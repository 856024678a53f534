"""``kandji-mirror version``: what is installed, for people who ask and for reports of faults."""

from kandji_cli.output import say, say_document
from kandji_schema.installation import NAME, how_to_add, installed_extras, version_line, versions


def show_versions(*, as_json: bool) -> None:
    """Print the versions and the extras; each that is missing with the command that adds it here."""
    extras = installed_extras()
    if as_json:
        say_document({**versions(), "extras": extras})
        return
    there = ", ".join(f"{extra} ({found})" for extra, found in extras.items() if found)
    missing = [f"  {extra}: {how_to_add(extra)}" for extra, found in extras.items() if not found]
    lines = [f"{NAME}, {version_line()}", f"Extras: {there or 'none'}."]
    say("\n".join([*lines, *(["Not installed, and what adds them:", *missing] if missing else [])]))
