"""``serve``, ``mcp`` and ``mcp-config``: how AI assistants reach the mirror; each imports its work when it runs."""

from typing import Any

import click

from kandji_cli import completing
from kandji_cli.options import format_option
from kandji_schema.errors import UsageError


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on, instead of KANDJI_MIRROR_HTTP_HOST.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port, instead of KANDJI_MIRROR_HTTP_PORT; 0: any.")
@click.option("--no-sync", "sync", is_flag=True, flag_value=False, default=True, help="Only answer AI clients.")
@click.option("--no-mcp", "mcp", is_flag=True, flag_value=False, default=True, help="Only keep the mirror in sync.")
def serve(host: str | None, port: int | None, sync: bool, mcp: bool) -> None:
    """Keep the mirror in sync, tell what checks find, and serve AI assistants over HTTP until Ctrl-C.

    Clients send a bearer token, which is made at the first start. Listens on this machine alone, unless an address and
    host names are set.

    Example: kandji-mirror serve

    Example: kandji-mirror serve --port 8800 --no-sync
    """
    from kandji_cli.serve import serve as serve_until_told

    serve_until_told(sync=sync, mcp=mcp, host=host, port=port)


@click.command()
def mcp() -> None:
    """Serve the mirror to an AI assistant over stdio (Model Context Protocol).

    Example: kandji-mirror mcp

    Example: KANDJI_MIRROR_BACKGROUND=off kandji-mirror mcp
    """
    from kandji_mcp_server.main import serve_over_stdio as serve_until_told

    serve_until_told()


@click.command("mcp-config")
@click.argument("client", required=False, shell_complete=completing.clients)
@click.option("--http", is_flag=True, help="For `kandji-mirror serve`, instead of a program the client starts.")
@click.option("--url", metavar="URL", help="Where `serve` is reached, if not as it is set here; implies --http.")
@click.option("--sign-in", is_flag=True, help="People sign in where `serve` says, without its token; implies --http.")
@click.option("--write", is_flag=True, help="Put it into the client's file, with a copy of what that was.")
@click.option("--file", metavar="PATH", help="Another file of the client, such as a project's.")
@click.option("--skill", is_flag=True, help="Print SKILL.md instead: how to ask, for clients that read agent skills.")
@format_option
def mcp_config(client: str | None, form: str, skill: bool, http: bool, sign_in: bool, **how: Any) -> None:
    """Print how an AI client finds this server, or write it into the client's file.

    Without CLIENT it lists them, in any --format. No token is ever written.

    Example: kandji-mirror mcp-config claude-desktop --write

    Example: kandji-mirror mcp-config
    """
    from kandji_cli.mcp_config import configure, show_clients, show_skill

    if skill:
        show_skill()
        return
    if client is None:
        if how["write"] or how["file"]:
            raise UsageError("Whose file? Name the client: kandji-mirror mcp-config cursor --write")
        show_clients(form)
        return
    configure(client, http=http or sign_in, sign_in=sign_in, **how)
