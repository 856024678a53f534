"""``kandji-mirror doctor``."""

import json
import sys

from kandji_cli.checks import findings
from kandji_cli.configuration_checks import Health
from kandji_cli.output import print_rows, say, tell
from kandji_schema.counts import counted


def examine(*, offline: bool, as_json: bool) -> None:
    """Print what every check found; the exit code is that of the first one that failed, 0 with warnings alone."""
    found = list(findings(offline=offline))
    failed = [finding for finding in found if finding.health is Health.FAILED]
    if as_json:
        checks = [{"check": f.check, "health": f.health.value, "detail": f.detail} for f in found]
        say(json.dumps({"ok": not failed, "checks": checks}, indent=1))
    else:
        print_rows(("check", "health", "detail"), [(f.check, f.health.value, f.detail) for f in found], "table")
        tell(_verdict(len(failed), sum(f.health is Health.WARNING for f in found)))
    if failed:
        sys.exit(failed[0].exit_code)


def _verdict(failed: int, warnings: int) -> str:
    return "All is well." if not failed and not warnings else f"{failed} failed, {counted(warnings, 'warning')}."
