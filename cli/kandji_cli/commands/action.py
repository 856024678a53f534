"""``action`` and ``secret``: a command for each record there is; each imports its work when it runs."""

import shlex
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kandji_cli.help_text import HelpContext
from kandji_cli.options import document_option, format_option

if TYPE_CHECKING:
    from kandji_schema.actions.record import Action

_REASON = "Why, for the audit log."
_SERIAL = (
    "The target's serial number, for scripts: counts as typed for what can be undone; for the rest and for secrets "
    'only where config.toml says mirror_confirm = "agent". Repeat it for several devices, in their order.'
)
_TO_STDOUT = "Print secrets also where the output is no terminal."


class Records(click.Group):
    """The commands of a group, and one for each action (or secret) there is."""

    def __init__(self, *, secrets: bool, **facts: Any) -> None:
        super().__init__(**facts)
        self._secrets = secrets

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands."""
        return [*self.commands, *self._records()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name; :class:`UnknownName` with the nearest ones."""
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        from kandji_schema.actions import action

        return _command(action(cmd_name, secret=self._secrets), ctx)

    def _records(self) -> list[str]:
        from kandji_schema.actions import actions

        return [name for name, record in actions().items() if record.secret is self._secrets]


@click.group(cls=Records, secrets=False)
def action() -> None:
    """Do something to a device, live: lock, restart, erase and more.

    Each shows first what would be sent, and is sent once its target's serial number was typed. Only where
    KANDJI_MIRROR_ACTIONS=on.

    Example: kandji-mirror action lock C02XK1JHJG5J --arg message="Call IT" --reason "lost on the train"

    Example: kandji-mirror action list
    """


@click.group(cls=Records, secrets=True)
def secret() -> None:
    """Read a secret of a device, live: it is shown once and kept nowhere; that it was read is recorded.

    Only where KANDJI_MIRROR_ACTIONS=on.

    Example: kandji-mirror secret filevaultkey C02XK1JHJG5J --reason "ticket 4711"

    Example: kandji-mirror secret unlockpin C02XK1JHJG5J --reason "ticket 4711"
    """


@action.command("confirm")
@click.argument("token")
@click.option(
    "--serial", "serials", multiple=True, help='As typed; counts only with mirror_confirm = "agent" in config.toml.'
)
@click.option("--to-stdout", is_flag=True, help=_TO_STDOUT)
def confirm(token: str, serials: tuple[str, ...], to_stdout: bool) -> None:
    """Confirm what an AI client asked for and could not ask you: shows it again, and asks for the serial number.

    Example: kandji-mirror action confirm 7QmXv2Lk

    Example: kandji-mirror action confirm 7QmXv2Lk --serial C02XK1JHJG5J
    """
    from kandji_cli.actions import confirm_token

    confirm_token(token, serials, to_stdout=to_stdout)


@action.command("status")
@click.argument("reference", metavar="ACTION_ID|DEVICE")
@document_option
def status(reference: str, form: str) -> None:
    """Ask the tenant what became of an action, or of the latest ones on a device.

    Example: kandji-mirror action status C02XK1JHJG5J

    Example: kandji-mirror action status C02XK1JHJG5J --json
    """
    from kandji_cli.actions import show_status

    show_status(reference, form)


@action.command("list")
@format_option
def list_actions(form: str) -> None:
    """List the actions with their arguments.

    Example: kandji-mirror action list

    Example: kandji-mirror action list --format csv
    """
    from kandji_cli.actions import show_actions

    show_actions(form)


def _command(record: "Action", ctx: click.Context) -> click.Command:
    command = click.Command(
        record.name,
        callback=partial(_run, record),
        params=[
            click.Argument(["targets"], nargs=-1, metavar=_targets(record)),
            click.Option(["--arg", "-a", "pairs"], multiple=True, help="An argument, name=value. Repeatable."),
            click.Option(["--reason"], default="", help=_REASON + " [required]" if record.secret else _REASON),
            click.Option(["--serial", "serials"], multiple=True, help=_SERIAL),
            click.Option(["--to-stdout"], is_flag=True, help=_TO_STDOUT),
        ],
        short_help=record.title + ".",
        help=_help(record),
        context_settings=ctx.command.context_settings,
    )
    command.context_class = HelpContext  # it is made when it is asked for, after all others
    return command


def _targets(record: "Action") -> str:
    """Say what an action wants to be named: devices, tags, or nothing; one that is asked for is never left out."""
    return f"{record.target.name}..." if record.target.value else ""


def _help(record: "Action") -> str:
    lines = [f"{record.title}: {record.method} {record.path}", "", *record.consequences]
    if record.platforms:
        lines += ["", f"For {', '.join(record.platforms)}."]
    for argument in record.arguments:
        needed = ", required" if argument.required else ""
        hidden = f" `--arg {argument.name}=-` asks for it, unseen." if argument.secret else ""
        lines += ["", f"--arg {argument.name}=... ({argument.rule()}{needed}): {argument.description}{hidden}"]
    return "\n".join([*lines, *(f"\nExample: {line}" for line in _examples(record))])


def _examples(record: "Action") -> tuple[str, str]:
    """Return two lines that can be typed: one for people, and one for scripts or to look afterwards."""
    from kandji_schema.actions.record import MOBILE, Risk, TargetKind

    serial = "F2LXK1JHJG5J" if record.platforms == MOBILE else "C02XK1JHJG5J"
    named = {TargetKind.DEVICE: serial, TargetKind.TAG: "loaner", TargetKind.TENANT: ""}[record.target]
    given = [f"--arg {a.name}={shlex.quote(a.example())}" for a in record.arguments if a.required or a.sample]
    line = " ".join(
        filter(None, ["kandji-mirror", "secret" if record.secret else "action", record.name, named, *given])
    )
    reason = f'{line} --reason "ticket 4711"'
    if record.secret:
        return reason, f"{reason} --to-stdout"
    if record.only_reads:
        return line, reason
    if record.risk is Risk.DESTROYS:
        return reason, "kandji-mirror audit list" if named != serial else f"kandji-mirror action status {serial}"
    return reason, f"{reason} --serial {serial}" if named == serial else "kandji-mirror audit list"


def _run(record: "Action", **given: Any) -> None:
    from kandji_cli.actions import act

    act(record, **given)
