"""``health``: its options; it imports its work when it runs."""

import click


@click.command()
@click.option("--ready", is_flag=True, help="Also ask whether its answers can be relied on, not only whether it runs.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Port of `serve`, instead of KANDJI_MIRROR_HTTP_PORT.")
def health(ready: bool, port: int | None) -> None:
    """Ask the `serve` of this machine whether it is well: exit code 0, else 1. For containers and monitoring.

    No token is needed or sent.

    Example: kandji-mirror health

    Example: kandji-mirror health --ready
    """
    from kandji_cli.health import ask

    ask(ready=ready, port=port)
