"""The commands by what people want of them, as ``--help`` shows them; a new command is one line here."""

import click

from kandji_cli.commands.action import action, secret
from kandji_cli.commands.ask import query, sql
from kandji_cli.commands.audit import audit
from kandji_cli.commands.catalogue import describe, queries, search, tables
from kandji_cli.commands.check import check
from kandji_cli.commands.completion import completion
from kandji_cli.commands.demo import demo, simulate
from kandji_cli.commands.evidence import evidence
from kandji_cli.commands.export import export
from kandji_cli.commands.feed import feed
from kandji_cli.commands.fleet import changes, overview, show
from kandji_cli.commands.health import health
from kandji_cli.commands.help import help_command
from kandji_cli.commands.keep import backup, disk, gc, restore, verify
from kandji_cli.commands.monitoring import monitoring
from kandji_cli.commands.report import report
from kandji_cli.commands.rules import rules
from kandji_cli.commands.serve import mcp, mcp_config, serve
from kandji_cli.commands.service import service
from kandji_cli.commands.setup import doctor, init, login, logout, reset, settings
from kandji_cli.commands.shell import shell
from kandji_cli.commands.sync import status, sync
from kandji_cli.commands.tenants import tenants
from kandji_cli.commands.version import version
from kandji_cli.help_text import HelpContext, explain

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Try it": (
        demo,
        simulate,
    ),
    "Set up": (
        init,
        login,
        logout,
        doctor,
        settings,
        tenants,
        reset,
    ),
    "Keep in sync": (
        sync,
        status,
        serve,
        service,
        health,
        monitoring,
        feed,
    ),
    "Keep for years": (
        backup,
        restore,
        verify,
        disk,
        gc,
    ),
    "Ask": (
        overview,
        show,
        search,
        query,
        queries,
        sql,
        shell,
        tables,
        describe,
        changes,
    ),
    "Hand on": (
        report,
        export,
        check,
        rules,
        evidence,
    ),
    "AI assistants": (
        mcp,
        mcp_config,
    ),
    "Act, live": (
        action,
        secret,
        audit,
    ),
    "Help": (
        help_command,
        completion,
        version,
    ),
}
"""Title of a section, and its commands in the order in which they are shown."""


class SectionedGroup(click.Group):
    """A group whose help shows its commands under titles, each with the whole of its short help."""

    context_class = HelpContext

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, whose help ends as that of all others does."""
        explain(cmd)
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list of commands for each of :data:`SECTIONS`."""
        width = formatter.width - max(map(len, self.commands)) - 6
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(str(command.name), _short_help(command, width)) for command in commands])


def _short_help(command: click.Command, width: int) -> str:
    """Return the first sentence of a command's help, up to a colon where it is longer than a line."""
    text = command.short_help or (command.help or "").partition("\n\n")[0]
    sentence = " ".join(text.split())
    if len(sentence) > width and (head := sentence.partition(":")[0]) != sentence:
        return f"{head}."
    return sentence
