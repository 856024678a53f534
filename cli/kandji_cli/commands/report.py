"""``report``: its arguments; it imports its work when it runs."""

from typing import Any

import click

from kandji_cli.options import json_option, requirement_options


@click.command()
# a file as it was typed: a path would make one slash of two
@click.option("--to", metavar="FILE", required=True, type=click.Path(), help="An .html file; - for standard output.")
@click.option("--since", metavar="TIME", help="Compare now with then: 30d, 4w ago, or a date or time, UTC.")
@click.option("--blueprint", metavar="NAME", help="Only devices of this blueprint, where that can be told.")
@click.option("--section", "sections", multiple=True, metavar="NAME", help="Only this section. Repeatable.")
@click.option("--anonymous", is_flag=True, help="Leave out names of people and devices.")
@click.option("--pdf", is_flag=True, help="Write it as PDF, too, by a browser of this machine.")
@click.option("--force", is_flag=True, help="Replace a file that is no report of ours.")
@requirement_options
@json_option
def report(**asked: Any) -> None:
    """Write the fleet as one page to mail, print and keep: pictures, what they say, and their tables.

    The file needs nothing else: no script, no network. It is light or dark as its reader is, and prints well. Beside it
    FILE.manifest.json has its hash, and the statement and the age behind each number.

    Sections: fleet, systems, patches, posture, compliance, apps, vulnerabilities, library, changes, licences, expiry,
    mirror.

    Example: kandji-mirror report --to fleet.html --since 2026-11-01

    Example: kandji-mirror report --to fleet.html --anonymous --section patches
    """
    from kandji_cli.report import write

    write(**asked)
