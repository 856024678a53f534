"""``kandji-mirror demo`` and ``simulate``: see it work, with an account or without."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kandji_cli.output import say, tell
from kandji_cli.sync import raise_if_partial, run_sync, summarise
from kandji_queries.reader import Reader
from kandji_queries.results.formats import write
from kandji_schema.manifest import DEMO
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted
from kandji_simulator import TOKEN, Tenant, World, serve, serve_forever

ANSWERING = 5.0
"""Seconds after which an invented device carries out a command."""
REPORT = (
    (
        "Devices by platform and major OS version",
        "SELECT platform, split_part(os_version, '.', 1) AS os, count(*) AS devices FROM devices "
        "GROUP BY ALL ORDER BY devices DESC, platform, os",
    ),
    (
        "FileVault coverage of Macs",
        "SELECT CASE WHEN filevault_on THEN 'on' WHEN NOT filevault_on THEN 'off' ELSE 'unknown' END AS filevault, "
        "count(*) AS macs, round(100 * count(*) / sum(count(*)) OVER (), 1) AS percent "
        "FROM fleet WHERE platform = 'Mac' GROUP BY ALL ORDER BY macs DESC",
    ),
    (
        "Not seen for 30 days",
        "SELECT device_name, platform, user_name, last_check_in FROM fleet "
        "WHERE last_check_in < (now() AT TIME ZONE 'UTC') - INTERVAL 30 DAY OR last_check_in IS NULL "
        "ORDER BY last_check_in",
    ),
    (
        "Devices with Google Chrome below 130",
        "SELECT device_name, user_name, min_by(version, version_key(version)) AS oldest_version, count(*) AS copies "
        "FROM apps JOIN devices USING (device_id) "
        "WHERE bundle_id = 'com.google.Chrome' AND version_below(version, '130') "
        "GROUP BY device_id, device_name, user_name ORDER BY version_key(oldest_version), device_name, device_id",
    ),
)
"""The questions of the report: heading and statement."""

DEVICES, SEED = 300, 1
"""The usual fleet of the demo, as in ``cli.options``."""

SHOWN = 8
"""Rows shown of each answer; the heading says how many there are."""


def show(*, devices: int, apps: int, seed: int) -> None:
    """Sync a simulated tenant with progress and print a short fleet report.

    It has a home of its own, where that is not named, so that it never meets the mirror of the real one.
    """
    settings = load()
    configured = bool(settings.api_url or settings.subdomain)
    home = settings.home if settings.mirror_home and not configured else _home_of(settings, devices, seed)
    tell(
        f"This is a simulated tenant of {counted(devices, 'device')}"
        + (
            ", not the one that is configured: `kandji-mirror sync` reads that."
            if configured
            else ". `kandji-mirror login` names yours, `kandji-mirror sync` then reads it; it is only read."
        )
        + "\n"
    )
    with simulated(devices=devices, apps=apps, seed=seed) as url:
        _sync_and_report(settings.given(api_url=url, api_token=TOKEN, mirror_home=str(home)), url if configured else "")


def _home_of(settings: Settings, devices: int, seed: int) -> Path:
    """Return a folder for each fleet: one home holds one tenant."""
    usual = (devices, seed) == (DEVICES, SEED)
    return settings.home / (DEMO if usual else f"demo-{seed}-{devices}")


def simulate(*, port: int, devices: int, apps: int, seed: int) -> None:
    """Serve a simulated tenant until Ctrl-C, telling how to sync it."""

    def announce(url: str) -> None:
        line = f"KANDJI_API_URL={url} KANDJI_API_TOKEN={TOKEN} {command()} sync"
        tell(f"A simulated tenant of {counted(devices, 'device')} answers on {url}. Sync it with:\n  {line}")

    serve_forever(_tenant(devices=devices, apps=apps, seed=seed), port, announce)


@contextmanager
def simulated(*, devices: int, apps: int, seed: int) -> Iterator[str]:
    """Serve a simulated tenant on a free loopback port for the time of the block, which gets its URL."""
    with serve(_tenant(devices=devices, apps=apps, seed=seed)) as server:
        yield server.url


def _tenant(*, devices: int, apps: int, seed: int) -> Tenant:
    """Make a tenant whose clock stands at this moment, so that "not seen for 30 days" means something."""
    return Tenant(World(seed, devices, apps_per_device=apps, start=datetime.now(UTC)), answering=ANSWERING)


def _sync_and_report(settings: Settings, url: str) -> None:
    """``url`` is named in what comes next, where a real tenant is configured that it must win over."""
    report = run_sync(settings, everything=True)
    summarise(report)
    masked = settings.privacy.masks_people
    with Reader(settings.home, rules=settings.mirror_compliance_file, masked=masked) as reader:
        for heading, statement in REPORT:
            _answer(reader, heading, statement)
    _next_steps(settings.home, url)
    raise_if_partial(report)


def _answer(reader: Reader, heading: str, statement: str) -> None:
    answer = reader.run(statement)
    more = f", the first {SHOWN} of {answer.row_count:,}" if answer.row_count > SHOWN else ""
    oldest = min((moment for moment in answer.as_of.values() if moment), default="never synced")
    say(f"\n{heading} (as of {oldest}{more})")
    write(replace(answer, rows=answer.rows[:SHOWN]), "table", sys.stdout)


def _next_steps(home: Path, url: str) -> None:
    tenant = f"KANDJI_API_URL={url} " if url else ""
    prefix = f"KANDJI_MIRROR_HOME={shlex.quote(str(home))} {tenant}{command()}"
    say("\nNext:")
    for arguments in ('sql "FROM fleet WHERE NOT filevault_on LIMIT 5"', "queries", "describe fleet"):
        say(f"  {prefix} {arguments}")


def command() -> str:
    """How to type this program here: by name where the shell finds it, else by its path."""
    script = Path(sys.argv[0])
    found = shutil.which("kandji-mirror")
    if found and Path(found).resolve() == script.resolve():
        return "kandji-mirror"
    return shlex.quote(str(script))
