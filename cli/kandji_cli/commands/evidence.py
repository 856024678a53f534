"""``evidence``: its arguments; it imports its work when it runs."""

import re
from typing import Any

import click

from kandji_cli import completing
from kandji_cli.options import json_option
from kandji_schema.errors import UsageError

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?|today|yesterday|\d+[smhdw]", re.I)
"""What ``--to`` takes for the end of the period and not for a folder."""


@click.group(invoke_without_command=True)
@click.option("--from", "first", metavar="DATE", help="The first day, UTC: 2026-07-01, or how long ago: 92d.")
@click.option("--until", "last", metavar="DATE", help="The last day, included; --to DATE says the same.")
@click.option(
    "--framework",
    metavar="NAME|FILE",
    shell_complete=completing.frameworks,
    help="cis, soc2, iso27001, or a .toml file of your own.",
)
@click.option("--to", "targets", metavar="DIR", multiple=True, type=click.Path(), help="A folder that is new or empty.")
@click.option("--exceptions", metavar="FILE", type=click.Path(), help="CSV or TOML: who need not meet what, and why.")
@click.option("--sign", "key", metavar="KEY", type=click.Path(), help="Sign the manifest, by ssh-keygen or minisign.")
@click.option("--anonymous", is_flag=True, help="Leave out names of people and devices.")
@json_option
@click.pass_context
def evidence(context: click.Context, /, targets: tuple[str, ...], last: str | None, **asked: Any) -> None:
    """Write dated evidence for an auditor: which devices met a framework's controls on each day of a period.

    A folder of its own: a page, CSV and JSON, the exceptions, the days of which nothing is known, the SQL, and a
    manifest with the hash of each file. Days end at midnight, UTC.

    Example: kandji-mirror evidence --from 2026-07-01 --until 2026-09-30 --framework cis --to q3

    Example: kandji-mirror evidence --from 30d --until yesterday --framework soc2 --to last-month
    """
    if context.invoked_subcommand is not None:
        return
    from kandji_cli.evidence import write

    ends = [text for text in targets if _TIME.fullmatch(text.strip())]
    folders = [text for text in targets if text not in ends]
    write(to=_one("--to DIR", folders), last=_one("--until", [*ends, *([last] if last else [])]), **asked)


def _one(option: str, given: list[str]) -> str:
    if len(given) > 1:
        raise UsageError(f"{option} is given twice: {' and '.join(map(repr, given))}. Leave one of them out.")
    if not given:
        raise UsageError(
            f"{option} is missing. Example: kandji-mirror evidence --from 2026-07-01 --until 2026-09-30 --framework "
            "cis --to q3"
        )
    return given[0]


@evidence.command("verify")
@click.argument("folder", metavar="DIR", type=click.Path())
@click.option("--key", metavar="FILE", type=click.Path(), help="The public key that a signature must be by.")
@json_option
def verify(folder: str, key: str | None, as_json: bool) -> None:
    """Check that no file of a folder of evidence was altered, is missing or more, and the signature where there is one.

    Example: kandji-mirror evidence verify q3

    Example: kandji-mirror evidence verify q3 --key auditor.pub
    """
    from kandji_cli.evidence import check

    check(folder, key, as_json=as_json)
