"""``tenants``: its options; it imports its work when it runs."""

import click

from kandji_cli.options import document_option


@click.command()
@document_option
def tenants(form: str) -> None:
    """List the tenants that have a name in config.toml: address, home, token, age and state of each mirror.

    Nothing is sent to anyone. `kandji-mirror --tenant NAME login` adds one; --tenant NAME then has any command be
    about it, and `serve` without a name keeps all of them in sync.

    Example: kandji-mirror tenants

    Example: kandji-mirror tenants --json
    """
    from kandji_cli.tenants import list_tenants

    list_tenants(as_json=form == "json")
