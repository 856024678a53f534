"""``demo`` and ``simulate``: their options; each imports its work when it runs."""

import click

from kandji_cli.options import fleet_options, history_option, trouble_options


@click.command()
@fleet_options
@history_option("30d")
def demo(devices: int, apps: int, seed: int, history: str) -> None:
    """Sync a simulated tenant and print a fleet report; the configured one is not asked.

    It has a past of 30 days, so that `changes`, trends, evidence and tables as of a day have something to tell.

    Example: kandji-mirror demo --devices 1000

    Example: kandji-mirror demo --history 90d
    """
    from kandji_cli.demo import show
    from kandji_cli.simulated import Fleet, days_of

    show(Fleet(devices=devices, apps=apps, seed=seed, days=days_of(history)))


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8_080, show_default=True, help="On 127.0.0.1; 0: any.")
@fleet_options
@history_option("0d")
@trouble_options
def simulate(
    port: int,
    devices: int,
    apps: int,
    seed: int,
    history: str,
    live: float,
    forbid: tuple[str, ...],
    fault: tuple[str, ...],
) -> None:
    """Serve a simulated tenant on loopback until Ctrl-C.

    It stands still, unless --live lets devices check in, update, come, go and change hands. With --history it is synced
    first, into the home that it names.

    Example: kandji-mirror simulate --port 8080 --live 600 --history 90d

    Example: kandji-mirror simulate --port 8080 --forbid users --fault 429:10%
    """
    from kandji_cli.demo import simulate as serve
    from kandji_cli.simulated import Fleet, days_of

    fleet = Fleet(
        devices=devices, apps=apps, seed=seed, days=days_of(history), pace=live, forbidden=forbid, faults=fault
    )
    serve(fleet, port=port)
