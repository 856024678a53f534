"""``demo`` and ``simulate``: their options; each imports its work when it runs."""

import click

from kandji_cli.options import fleet_options


@click.command()
@fleet_options
def demo(devices: int, apps: int, seed: int) -> None:
    """Sync a simulated tenant and print a fleet report; the configured one is not asked.

    Example: kandji-mirror demo --devices 1000
    """
    from kandji_cli.demo import show

    show(devices=devices, apps=apps, seed=seed)


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8_080, show_default=True, help="On 127.0.0.1; 0: any.")
@fleet_options
def simulate(port: int, devices: int, apps: int, seed: int) -> None:
    """Serve a simulated tenant on loopback until Ctrl-C.

    Example: kandji-mirror simulate --port 8080 --devices 1000 --seed 7
    """
    from kandji_cli.demo import simulate as serve

    serve(port=port, devices=devices, apps=apps, seed=seed)
