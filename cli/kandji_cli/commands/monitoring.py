"""``monitoring``: its argument; it imports its work when it runs."""

import click

SHIPPED = ("scrape", "alerts", "dashboard")
"""As in ``kandji_mcp_server.monitoring.shipped``, which a mere ``--help`` need not import; a test compares them."""


@click.command()
@click.argument("what", type=click.Choice(SHIPPED))
def monitoring(what: str) -> None:
    r"""Print a file for those who watch `serve`: a part of prometheus.yml, alert rules, or a Grafana dashboard.

    `serve` has metrics at /metrics, for those who send its token or KANDJI_MIRROR_METRICS_TOKEN.

    \b
    Example: kandji-mirror monitoring alerts
    Example: kandji-mirror monitoring dashboard
    """
    from kandji_cli.monitoring import print_shipped

    print_shipped(what)
