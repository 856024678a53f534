"""``kandji-mirror monitoring``: prints the files for Prometheus and Grafana."""

from kandji_cli.output import say_page
from kandji_mcp_server.monitoring.shipped import shipped
from kandji_schema.settings import load


def print_shipped(what: str) -> None:
    """Print one of the files, for whoever redirects it to where it belongs."""
    say_page(shipped(what, load(doubtful=True)))
