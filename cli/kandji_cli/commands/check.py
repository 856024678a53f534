"""``check``: its commands; each imports its work when it runs."""

import click

from kandji_cli import completing
from kandji_cli.options import document_option, format_option


@click.group()
def check() -> None:
    """Ask what is wrong on a schedule, and tell somebody once: Slack, Teams, Discord, mail, a command, a file.

    Checks are written in checks.toml of the data directory; `check init` writes one to begin with. `serve` asks and
    tells in the background; elsewhere `check run` does, from cron. One process of a home tells.

    Example: kandji-mirror check init

    Example: kandji-mirror check run
    """


@check.command()
def init() -> None:
    """Write a checks.toml with comments, where there is none.

    Example: kandji-mirror check init

    Example: KANDJI_MIRROR_HOME=/srv/kandji kandji-mirror check init
    """
    from kandji_cli.checks import write_first_file

    write_first_file()


@check.command()
@click.argument("names", nargs=-1, metavar="[CHECK]...", shell_complete=completing.checks)
@click.option("--all", "everything", is_flag=True, help="Ask every check now, also those that are not due.")
@document_option
def run(names: tuple[str, ...], everything: bool, form: str) -> int:
    """Ask the checks that are due, or the named ones, and tell what is new; for cron.

    Exit codes: 0 nothing is found, 10 something is (told now or before), 11 a check has no answer or a text was not
    delivered (it is tried again by the next run). Where another process of this home tells, such as `serve`, nothing
    is asked here, and the code is by what that one found.

    Example: kandji-mirror check run

    Example: kandji-mirror check run --all --json
    """
    from kandji_cli.checks import run_round

    return run_round(names, everything=everything, as_json=form == "json")


@check.command("list")
@format_option
def list_checks(form: str) -> None:
    """List the checks: what is found, when they are asked, who is told, what waits to be delivered.

    Example: kandji-mirror check list

    Example: kandji-mirror check list --json
    """
    from kandji_cli.checks import show_checks

    show_checks(form)


@check.command("test")
@click.argument("name", metavar="CHECK", shell_complete=completing.checks)
@click.option("--to", "targets", multiple=True, metavar="TARGET", help="Only to this target. Repeatable.")
def send_test(name: str, targets: tuple[str, ...]) -> int:
    """Send a text that says it is a test to the targets of a check; exit code 11 where one does not get it.

    Example: kandji-mirror check test macs_without_filevault --to ops

    Example: kandji-mirror check test macs_without_filevault
    """
    from kandji_cli.checks import send_test as send

    return send(name, targets)


@check.command()
@click.argument("name", required=False, metavar="[CHECK]", shell_complete=completing.checks)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Only the newest so many.")
@format_option
def history(name: str | None, limit: int, form: str) -> None:
    """List what began, ended, and was told, the newest first.

    Example: kandji-mirror check history macs_without_filevault

    Example: kandji-mirror check history --limit 10
    """
    from kandji_cli.checks import show_history

    show_history(name, limit, form)
