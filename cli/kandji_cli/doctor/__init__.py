"""``kandji-mirror doctor``: every check in turn, the cheap ones first, and what it found."""

import sys
from collections.abc import Iterator

from kandji_cli.doctor.channels import channels
from kandji_cli.doctor.mend import mended
from kandji_cli.doctor.mirror import own, store, tenant
from kandji_cli.doctor.people import people
from kandji_cli.doctor.settings import (
    NEEDED_TO_ASK,
    Finding,
    Health,
    checked,
    configuration,
    rights,
    rights_of_configuration,
)
from kandji_cli.output import print_rows, say_document, tell
from kandji_mcp_server.http import read_access
from kandji_schema.errors import ConfigurationError
from kandji_schema.installation import installed_extras, version_line
from kandji_schema.settings import Settings, load
from kandji_schema.text import counted


def examine(*, offline: bool, as_json: bool, fix: bool = False) -> None:
    """Print what every check found; the exit code is that of the first one that failed, 0 with warnings alone.

    With ``fix`` what is safe to mend is mended first, and said.
    """
    found = [*(mended() if fix else ())]
    found += list(findings(offline=offline))
    failed = [finding for finding in found if finding.health is Health.FAILED]
    if as_json:
        checks = [{"check": f.check, "health": f.health.value, "detail": f.detail} for f in found]
        say_document({"ok": not failed, "checks": checks})
    else:
        print_rows(("check", "health", "detail"), [(f.check, f.health.value, f.detail) for f in found], "table")
        tell(_verdict(len(failed), sum(f.health is Health.WARNING for f in found)))
    if failed:
        sys.exit(failed[0].exit_code)


def _verdict(failed: int, warnings: int) -> str:
    return "All is well." if not failed and not warnings else f"{failed} failed, {counted(warnings, 'warning')}."


def findings(*, offline: bool) -> Iterator[Finding]:
    """Run every check, the cheap ones first; where ``offline``, or without what asking takes, nothing is sent.

    Without settings that can be read nothing else can be looked at.
    """
    yield Finding("versions", Health.OK, _versions())
    try:
        settings = load(doubtful=True)
        home = settings.home
    except ConfigurationError as error:
        yield from rights_of_configuration()
        yield Finding("settings", Health.FAILED, str(error), error.exit_code)
        return
    yield from rights(settings)  # before anything opens the home, which tightens it
    configured = list(configuration(settings))
    yield from configured
    yield checked("serve", lambda: _access(settings))
    yield from people(settings, offline=offline)
    yield from channels(settings, offline=offline)
    needed = [found.health for found in configured if found.check in NEEDED_TO_ASK]
    if not offline and all(health is Health.OK for health in needed):
        yield from tenant(settings)
    yield from store(settings)
    yield from own(home)


def _versions() -> str:
    extras = [extra for extra, found in installed_extras().items() if found]
    return f"kandji-mirror, {version_line()} on {sys.platform}, extras: {', '.join(extras) or 'none'}"


def _access(settings: Settings) -> str:
    allowed = read_access(settings)
    made = "" if allowed.token else ", made at the first start"
    if not allowed.people:
        return f"{allowed.host} port {allowed.port}, with a bearer token{made}"
    own = " or with a bearer token" if allowed.token else ""
    return f"{allowed.host} port {allowed.port}, for people who sign in at {allowed.people.issuer}{own}"
