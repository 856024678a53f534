"""``kandji-mirror demo`` and ``simulate``: see it work, with an account or without."""

import shlex
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kandji_cli.changes import USUAL, in_lines
from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import say, tell
from kandji_cli.simulated import Fleet, Simulated, simulate_fleet
from kandji_cli.sync import raise_if_partial, run_sync, summarise
from kandji_mirror.report import Report
from kandji_queries.history import changes as history
from kandji_queries.reader import Reader
from kandji_queries.results.formats import write
from kandji_schema.manifest import DEMO
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted
from kandji_simulator import TOKEN, serve, serve_forever

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


def show(fleet: Fleet) -> None:
    """Sync a simulated tenant with progress and print a short fleet report.

    It has a home of its own, where that is not named, so that it never meets the mirror of the real one.
    """
    settings = load(tenant="")  # it is nobody's
    configured = _names_tenant(settings)
    tell(
        f"This is a simulated tenant of {counted(fleet.devices, 'device')}"
        + (
            ", not the one that is configured: `kandji-mirror sync` reads that."
            if configured
            else ". `kandji-mirror init` sets up yours; it is only read."
        )
        + "\n"
    )
    made = simulate_fleet(fleet)
    with serve(made.tenant) as server:
        own = settings.given(api_url=server.url, api_token=TOKEN, mirror_home=str(_home_of(settings, fleet)))
        _sync_and_report(own, made, server.url if configured else "")


def _names_tenant(settings: Settings) -> bool:
    return bool(settings.api_url or settings.subdomain)


def _home_of(settings: Settings, fleet: Fleet) -> Path:
    """Return the home that is named where no tenant is, else a folder for each fleet: one home holds one tenant."""
    if settings.mirror_home and not _names_tenant(settings):
        return settings.home
    usual = (fleet.devices, fleet.seed) == (DEVICES, SEED)
    return settings.home / (DEMO if usual else f"demo-{fleet.seed}-{fleet.devices}")


def simulate(fleet: Fleet, *, port: int) -> None:
    """Serve a simulated tenant until Ctrl-C, telling how to sync it; one with a past is synced into a home first."""
    settings, made = load(tenant=""), simulate_fleet(fleet)

    def announce(url: str) -> None:
        line = f"KANDJI_API_URL={url} \\\n  KANDJI_API_TOKEN={TOKEN} {command()} sync"
        if fleet.days:
            own = settings.given(api_url=url, api_token=TOKEN, mirror_home=str(_home_of(settings, fleet)))
            _sync(own, made)
            line = f"KANDJI_MIRROR_HOME={shlex.quote(str(own.home))} \\\n  {line}"
        tell(f"A simulated tenant of {counted(fleet.devices, 'device')} answers on {url}. Sync it with:\n  {line}")
        if fleet.pace:
            again = "sync again (`sync --full` at once, `sync` what is due), then see `changes`"
            tell(f"It lives {fleet.pace:g} times as fast as the clock: {again}.")

    serve_forever(made.tenant, port, announce)


def _sync(settings: Settings, made: Simulated) -> Report:
    report = run_sync(settings, everything=True)
    summarise(report, again=False)  # the settings of who reads this do not lead here
    made.give_past(settings)
    return report


def _sync_and_report(settings: Settings, made: Simulated, url: str) -> None:
    """``url`` is named in what comes next, where a real tenant is configured that it must win over."""
    report = _sync(settings, made)
    masked = settings.privacy.masks_people
    with Reader(settings.home, rules=settings.mirror_compliance_file, masked=masked) as reader:
        for heading, statement in REPORT:
            _answer(reader, heading, statement)
        if made.changes:
            _what_changed(reader)
    _next_steps(settings.home, url)
    raise_if_partial(report)


def _answer(reader: Reader, heading: str, statement: str) -> None:
    answer = reader.run(statement)
    more = f", the first {SHOWN} of {answer.row_count:,}" if answer.row_count > SHOWN else ""
    oldest = min((moment for moment in answer.as_of.values() if moment), default="never synced")
    say(f"\n{heading} (as of {oldest}{more})")
    write(replace(answer, rows=answer.rows[:SHOWN]), "table", sys.stdout)


def _what_changed(reader: Reader) -> None:
    """Print what became other in the last week, the newest lines and devices first."""
    now = datetime.now(UTC)
    asked = history.read_asked(reader, since=USUAL, until=None, device=None, table=None, now=now)
    found = reader.run(history.statement(newest_first=False, limit=SHOWN), asked.values)
    say("\nWhat changed in the last 7 days")
    write(in_lines(found, "table"), "table", sys.stdout)


def _next_steps(home: Path, url: str) -> None:
    tenant = f"KANDJI_API_URL={url} " if url else ""
    found = settings_to_read(told=True).home == home  # without being named
    named = "" if found and not url else f"KANDJI_MIRROR_HOME={shlex.quote(str(home))} "
    prefix = f"{named}{tenant}{command()}"
    say("\nNext:")
    for arguments in ('sql "FROM fleet WHERE NOT filevault_on LIMIT 5"', "changes", "queries", "describe fleet"):
        say(f"  {prefix} {arguments}")


def command() -> str:
    """How to type this program here: by name where the shell finds it, else by its path."""
    script = Path(sys.argv[0])
    found = shutil.which("kandji-mirror")
    if found and Path(found).resolve() == script.resolve():
        return "kandji-mirror"
    return shlex.quote(str(script))
