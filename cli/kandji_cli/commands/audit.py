"""``audit``: its commands; each imports its work when it runs."""

import click

from kandji_cli.options import document_option, format_option


@click.group()
def audit() -> None:
    """Show, prove and export the record of live actions.

    Example: kandji-mirror audit verify

    Example: kandji-mirror audit list
    """


@audit.command("list")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Only the newest so many.")
@format_option
def list_attempts(limit: int, form: str) -> None:
    """List the attempts: who did what to which device, and how it ended.

    Example: kandji-mirror audit list

    Example: kandji-mirror audit list --limit 10 --json
    """
    from kandji_cli.audit import show

    show(limit, form)


@audit.command()
@click.option(
    "--against",
    metavar="FILE|SEQ:HASH",
    help="Heads that were saved elsewhere: one of them, or a file whose lines hold some, such as syslog's.",
)
@document_option
def verify(against: str | None, form: str) -> None:
    """Prove that the log is whole in itself, and with --against that it was not made anew; exit code 8 where not.

    Example: kandji-mirror audit verify

    Example: kandji-mirror audit verify --against heads.txt
    """
    from kandji_cli.audit import verify as check

    check(against, as_json=form == "json")


@audit.command()
@click.option("--format", "-f", "form", type=click.Choice(("jsonl", "csv")), default="jsonl", help="Kind of the file.")
@click.option("--to", type=click.Path(), help="A new file; without it, or for -, stdout.")
def export(form: str, to: str | None) -> None:
    """Write every record.

    Example: kandji-mirror audit export --format csv --to audit.csv

    Example: kandji-mirror audit export
    """
    from kandji_cli.audit import export as write

    write(form, to)
