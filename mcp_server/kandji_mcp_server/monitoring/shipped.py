"""Files for those who watch: a part of prometheus.yml, rules for alerts, a dashboard. They are printed."""

from pathlib import Path

from kandji_schema.settings import Settings

FOLDER = Path(__file__).parent / "files"

FILES = {"scrape": "prometheus.yml", "alerts": "alerts.yml", "dashboard": "grafana-dashboard.json"}
"""What can be printed, and its file."""

EXAMPLE = "127.0.0.1:8765"
"""Where the file of the scrape says that `serve` is."""


def shipped(what: str, settings: Settings | None = None) -> str:
    """Return the text of a file by its name in :data:`FILES`; the scrape names where `serve` is by the ``settings``."""
    text = (FOLDER / FILES[what]).read_text(encoding="utf-8")
    return text.replace(EXAMPLE, address(settings)) if settings and what == "scrape" else text


def address(settings: Settings) -> str:
    """Return host and port by which `serve` is reached: the first of its other names where it has any."""
    host = settings.mirror_http_allowed_hosts.partition(",")[0].strip() or settings.mirror_http_host
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    return host if ":" in host.rpartition("]")[2] else f"{host}:{settings.mirror_http_port}"
