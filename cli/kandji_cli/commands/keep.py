"""``backup``, ``restore``, ``verify``, ``disk`` and ``gc``: their arguments; each imports its work when it runs."""

import click

from kandji_cli.options import document_option, format_option


@click.command()
@click.option(
    "--to",
    required=True,
    metavar="FILE|DIR",
    help="A new file that ends in .tar, .tar.gz, .tgz or .tar.zst; or a folder, which gets one with today's date.",
)
@click.option("--without-key", is_flag=True, help="Leave out privacy.key, which pseudonyms are made with.")
@document_option
def backup(to: str, without_key: bool, form: str) -> None:
    """Write a backup of the mirror, its history and the audit log, while syncing goes on.

    It is one moment, with a hash of every file. Neither token nor settings are in it, nor secrets that stand in
    checks.toml.

    Example: kandji-mirror backup --to kandji-backups

    Example: kandji-mirror backup --to kandji-backup.tar.gz --without-key
    """
    from kandji_cli.keeping import back_up

    back_up(to, with_key=not without_key, as_json=form == "json")


@click.command()
@click.argument("source", metavar="FILE|DIR")
@click.option("--to", metavar="HOME", help="The data directory to restore into; by default the one of the settings.")
@click.option("--force", is_flag=True, help="Move what is there aside, into the folder `aside`; nothing is removed.")
@document_option
def restore(source: str, to: str | None, force: bool, form: str) -> None:
    """Put a backup into an empty home, once every file of it is proved.

    Stop `serve` and other processes that sync first. checks.toml comes back as checks.toml.restored: look at it, then
    rename it.

    Example: kandji-mirror restore kandji-backup.tar.gz --to kandji-restored

    Example: kandji-mirror restore kandji-backup.tar.gz --force
    """
    from kandji_cli.keeping import put_back

    put_back(source, to, force=force, as_json=form == "json")


@click.command()
@click.argument("source", metavar="[BACKUP]", required=False)
@document_option
def verify(source: str | None, form: str) -> None:
    """Prove a home, or a backup: every file, the manifest, its rows, and the audit log; exit code 8 where not.

    Every block of every file is read, so it takes a while. A backup's files are compared with their hashes.

    Example: kandji-mirror verify

    Example: kandji-mirror verify kandji-backup.tar.gz
    """
    from kandji_cli.keeping import prove

    prove(source, as_json=form == "json")


@click.command()
@format_option
def disk(form: str) -> None:
    """Show what takes how much of the data directory, and what a shorter history would free.

    Example: kandji-mirror disk

    Example: kandji-mirror disk --json
    """
    from kandji_cli.disk import show_disk

    show_disk(form)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@document_option
def gc(dry_run: bool, form: str) -> None:
    """Remove what no kept state names, and what a killed writer left.

    Whoever syncs does this after every pass, so it is seldom needed. What readers may still have open stays for an
    hour.

    Example: kandji-mirror gc --dry-run

    Example: kandji-mirror gc
    """
    from kandji_cli.disk import collect_garbage

    collect_garbage(dry_run=dry_run, as_json=form == "json")
