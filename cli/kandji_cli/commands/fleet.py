"""``overview``, ``show`` and ``changes``: their arguments; each imports its work when it runs."""

from typing import Any

import click

from kandji_cli import completing
from kandji_cli.options import format_option, page_option, requirement_options


@click.command()
@page_option
def overview(form: str) -> None:
    """Show the fleet in numbers, each with the command that lists what is behind it.

    Devices, systems, blueprints, posture, compliance, trouble, what runs out, and how fresh the mirror is.

    Example: kandji-mirror overview

    Example: kandji-mirror overview --json
    """
    from kandji_cli.overview import show_overview

    show_overview(as_json=form == "json")


@click.command()
@click.argument("device")
@click.option("--include", multiple=True, metavar="PART", help="A part more, such as apps. Repeatable.")
@page_option
def show(device: str, include: tuple[str, ...], form: str) -> None:
    """Show all that is known of one device: who has it, posture, locks, compliance, what contradicts itself.

    DEVICE is an identifier, serial number, asset tag, or a name of the device or its person.

    Example: kandji-mirror show C02XK1JHJG5J --include apps

    Example: kandji-mirror show C02XK1JHJG5J --json
    """
    from kandji_cli.show import show_device

    show_device(device, include, as_json=form == "json")


@click.command()
@click.option("--since", metavar="TIME", help="From then on: 30m, 24h, 2d, 1w ago, or a date or time, UTC.  [7d]")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option("--device", metavar="DEVICE", help="Identifier, serial number or name of one device.")
@click.option("--table", metavar="TABLE", help="Changes of one table.", shell_complete=completing.tables)
@click.option("--by-column", is_flag=True, help="One row for each column, as the view changes has it.")
@click.option("--compare", is_flag=True, help="Rows of --table only at --since, only at --until (or now), or other.")
@click.option("--limit", type=click.IntRange(1), help="Only the newest so many.  [50 on a terminal, devices first]")
@click.option("--all", "everything", is_flag=True, help="All of them, on a terminal too.")
@format_option
@requirement_options
def changes(form: str, limit: int | None, max_age: str | None, strict: bool, **asked: Any) -> None:
    """Show what changed, by device and thing, oldest first.

    An app that was updated, an owner or system that became another, a device that came or went with what it carried:
    each is told once, and what is the same on several devices in one line. A time may have the offset of any zone; a
    date alone is the start of its day, UTC.

    Example: kandji-mirror changes --since 24h --device C02XK1JHJG5J

    Example: kandji-mirror changes --compare --table apps --since 2026-11-01 --until 2026-11-15
    """
    from datetime import UTC, datetime

    from kandji_cli.changes import Wanted, show_changes
    from kandji_cli.reads import How

    if limit is not None and asked["everything"]:
        raise click.UsageError("--limit shows so many, --all shows all: leave one of them out.")
    how = How.from_options(form=form, limit=limit, max_age=max_age, strict=strict)
    show_changes(Wanted(**asked), how=how, now=datetime.now(UTC))
