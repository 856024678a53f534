"""``login``, ``doctor``, ``settings`` and ``reset``: their options; each imports its work when it runs."""

import click

from kandji_cli import completing
from kandji_cli.options import document_option, format_option


@click.command()
@click.option(
    "--subdomain", metavar="NAME|URL", help="The tenant's name, or any URL of its console; asked for otherwise."
)
@click.option("--region", type=click.Choice(("us", "eu")), help="Where the tenant lives; found out otherwise.")
@click.option("--api-url", metavar="URL", help="Full base URL instead of subdomain and region.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input instead of asking for it.")
@click.option("--keychain", is_flag=True, help="Keep the token in the OS keychain instead of a file (mode 0600).")
@click.option("--sync/--no-sync", default=None, help="Sync now, or not; asked otherwise.")
@click.option(
    "--client",
    metavar="CLIENT",
    shell_complete=completing.clients,
    help="AI client to set up; `mcp-config` lists them. Asked otherwise.",
)
@click.option("--service/--no-service", default=None, help="Keep it in sync as a service; asked otherwise.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: sync where nothing is mirrored, no client, no service.")
@click.pass_context
def init(
    context: click.Context,
    /,
    keychain: bool,
    sync: bool | None,
    client: str | None,
    service: bool | None,
    yes: bool,
    token_stdin: bool,
    **tenant: str | None,
) -> None:
    """Set everything up, question by question: tenant, token, first sync, AI client, service.

    The tenant is asked at once: which of its hosts knows the token, what the token may read, what a first sync costs.
    Nothing is stored before. Run it again to see what is there. Without a terminal nothing is asked; what is missing
    is named.

    Example: kandji-mirror init

    Example: kandji-mirror init --client claude-desktop --yes
    """
    from kandji_cli.account import Asked
    from kandji_cli.init import Wanted, set_up

    named = {key: value for key, value in tenant.items() if value is not None}
    asked = Asked(named, token_stdin=token_stdin)
    wanted = Wanted(asked=asked, keychain=keychain, sync=sync, client=client, service=service, yes=yes)
    set_up(wanted, context.find_root().command)


@click.command()
@click.option("--subdomain", help="The tenant's name, or any URL of its console; asked for otherwise.")
@click.option("--region", type=click.Choice(("us", "eu")), help="Where the tenant lives.")
@click.option("--api-url", help="Full base URL instead of subdomain and region.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input instead of asking for it.")
@click.option("--keychain", is_flag=True, help="Keep the token in the OS keychain instead of a file (mode 0600).")
@click.option("--offline", is_flag=True, help="Store without asking the tenant whether it knows the token.")
def login(token_stdin: bool, keychain: bool, offline: bool, **tenant: str | None) -> None:
    """Store the tenant and its API token, once the tenant has accepted the token.

    Example: kandji-mirror login --region eu --subdomain acme

    Example: kandji-mirror login --subdomain acme --offline --token-stdin < token.txt
    """
    from kandji_cli.account import Asked
    from kandji_cli.login import log_in

    named = {key: value for key, value in tenant.items() if value is not None}
    log_in(Asked(named, token_stdin=token_stdin, offline=offline), keychain=keychain)


@click.command()
def logout() -> None:
    """Remove the stored token from its file and the OS keychain, and say what else is still there.

    Mirror and settings stay; for each thing that stays the way to remove it is named.

    Example: kandji-mirror logout

    Example: kandji-mirror logout --tenant acme
    """
    from kandji_cli.stored_account import log_out

    log_out()


@click.command()
@click.option("--offline", is_flag=True, help="Send nothing to the tenant.")
@click.option("--fix", is_flag=True, help="Mend what is safe first: rights, leftovers, an unreadable newest manifest.")
@document_option
def doctor(offline: bool, fix: bool, form: str) -> None:
    """Check settings, token, its permissions and the mirror's files.

    Costs one small request a permission, about twenty.

    Example: kandji-mirror doctor

    Example: kandji-mirror doctor --offline --json
    """
    from kandji_cli.doctor import examine

    examine(offline=offline, fix=fix, as_json=form == "json")


@click.command()
@format_option
def settings(form: str) -> None:
    """List every setting with its value, where that comes from, and its meaning; secrets are not shown.

    Example: kandji-mirror settings

    Example: kandji-mirror settings --json
    """
    from kandji_cli.status import show_settings

    show_settings(form)


@click.command()
@click.option(
    "--tenant", metavar="NAME", help="The tenant whose mirror it is, as `status` has it; asked for otherwise."
)
@click.option("--delete", is_flag=True, help="Delete the mirror instead of moving it aside.")
def reset(tenant: str | None, delete: bool) -> None:
    """Take the mirror out of its home, so that another tenant can be mirrored there.

    It is moved into a folder of its own, where it can still be read. The record of live actions, exports and
    compliance.toml stay.

    Example: kandji-mirror reset --tenant acme

    Example: kandji-mirror reset --tenant acme --delete
    """
    from kandji_cli.login import reset as take_out

    take_out(tenant, delete=delete)
