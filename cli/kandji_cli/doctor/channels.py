"""What ``doctor`` finds about one-time codes and the audit log: whether they would arrive.

Nothing is sent: a webhook is connected to, a program is looked for, a socket is opened.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from kandji_cli.doctor.settings import Finding, Health, checked
from kandji_mirror.actions.codes import codes_of
from kandji_mirror.audit.anchors import anchor_of
from kandji_mirror.audit.keychain import keychain_words
from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.channels import SECONDS, bounded, program_of, syslog_opened
from kandji_schema.errors import ConfigurationError, NotDelivered, StoreDamaged
from kandji_schema.settings import Settings


def channels(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Where codes and heads of the audit log go, and whether they would get there; ``offline`` looks here alone.

    Without its code an action is not done, so that fails. A head that is saved nowhere stops nothing, so it is told.
    """
    yield from _found("one-time codes", _codes(settings, offline), needed=True) or [
        Finding("one-time codes", Health.OK, "none: a yes needs no code")
    ]
    yield from _found("audit anchor", _anchors(settings, offline), needed=False) or [
        Finding("audit anchor", Health.OK, "none: the log's head is saved in the data directory alone")
    ]
    yield checked("audit log", lambda: _audit_log(settings.home))


def _found(check: str, looks: Iterator[Callable[[], str]], *, needed: bool) -> list[Finding]:
    found = []
    try:
        for look in looks:
            finding = checked(check, look)
            found.append(finding if needed or finding.health is Health.OK else _milder(finding))
    except ConfigurationError as error:  # no action begins with such a setting
        found.append(Finding(check, Health.FAILED, str(error), error.exit_code))
    return found


def _milder(finding: Finding) -> Finding:
    return Finding(finding.check, Health.WARNING, finding.detail)


def _codes(settings: Settings, offline: bool) -> Iterator[Callable[[], str]]:
    codes_of(settings)
    url, line = settings.mirror_confirm_code_url, settings.mirror_confirm_code_command
    if url:
        yield lambda: _far("KANDJI_MIRROR_CONFIRM_CODE_URL", url, settings, offline)
    if line:
        yield lambda: _command("KANDJI_MIRROR_CONFIRM_CODE_COMMAND", line)


def _anchors(settings: Settings, offline: bool) -> Iterator[Callable[[], str]]:
    anchor_of(settings)
    address, url, line = settings.mirror_audit_syslog, settings.mirror_audit_url, settings.mirror_audit_command
    if address:
        yield lambda: _syslog(address, offline)
    if url:
        yield lambda: _far("KANDJI_MIRROR_AUDIT_URL", url, settings, offline)
    if line:
        yield lambda: _command("KANDJI_MIRROR_AUDIT_COMMAND", line)
    if settings.mirror_audit_keychain:
        yield lambda: keychain_words(settings.home)


def _far(setting: str, url: str, settings: Settings, offline: bool) -> str:
    if offline:
        return f"{setting}: a webhook, which was not asked"
    return f"{setting}: {_webhook(setting, url, ca_file=settings.mirror_ca_file)}"


def _syslog(address: str, offline: bool) -> str:
    if offline and _is_far(address):
        return f"syslog at {address}, which was not asked"
    return _opened("KANDJI_MIRROR_AUDIT_SYSLOG", address)


def _audit_log(home: Path) -> str:
    verdict = AuditLog(home, actor()).verify()
    if not verdict.green:
        raise StoreDamaged(f"{verdict.trouble} No action is done without a record; `kandji-mirror audit verify` asks.")
    return f"{verdict.records:,} records, whole in themselves"


def _webhook(setting: str, url: str, *, ca_file: str = "") -> str:
    """Its host, once it took a connection; :class:`NotDelivered` where it does not."""

    def connect() -> None:
        from kandji_mirror.api.transport import connected_to  # only where there is one

        connected_to(url, ca_file=ca_file, seconds=SECONDS)

    _tried(setting, connect)
    return f"{urlsplit(url).hostname} takes connections"


def _command(setting: str, line: str) -> str:
    """Its program; :class:`NotDelivered` where that is not there or may not be started."""
    program = program_of(setting, line)
    if not Path(program).is_file():
        raise NotDelivered(f"{setting}: there is no program {program}. Correct it.")
    if not os.access(program, os.X_OK):
        raise NotDelivered(f"{setting}: {program} may not be started by this user. Correct its rights.")
    return f"{program} is there"


def _opened(setting: str, address: str) -> str:
    """The address, once it was opened; :class:`NotDelivered` where nobody listens there, as far as can be seen."""
    _tried(setting, lambda: syslog_opened(setting, address))
    return f"syslog at {address}"


def _is_far(address: str) -> bool:
    """Whether looking for a syslog takes more than this machine."""
    return address != "local" and not address.startswith("/")


def _tried(setting: str, look: Callable[[], None]) -> None:
    bounded(setting, lambda _text, _facts: look())("", {})
