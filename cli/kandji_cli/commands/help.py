"""``help``: the help of a command."""

import click

from kandji_cli import completing


@click.command("help")
@click.argument("names", nargs=-1, metavar="[COMMAND]...", shell_complete=completing.commands)
@click.pass_context
def help_command(context: click.Context, names: tuple[str, ...]) -> None:
    """Show the help of a command, as COMMAND --help does.

    Example: kandji-mirror help query stale_devices

    Example: kandji-mirror help action lock
    """
    whole = context.find_root()
    whole.command.main([*names, "--help"], prog_name=whole.info_name, standalone_mode=False)
