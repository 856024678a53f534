"""What ``doctor`` finds about one-time codes and the audit log: whether they would arrive; nothing is sent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from kandji_cli.doctor.settings import Finding, Health, checked
from kandji_mirror.actions.codes import code_channel
from kandji_mirror.audit.anchors import anchor_channels
from kandji_mirror.audit.log import AuditLog, actor
from kandji_mirror.channels import Channel
from kandji_schema.errors import ConfigurationError, StoreDamaged
from kandji_schema.settings import Settings
from kandji_schema.text import counted


def channels(settings: Settings, *, offline: bool) -> Iterator[Finding]:
    """Check where codes and heads of the audit log go, and whether they get there; ``offline`` looks here alone.

    Without its code an action is not done, so that fails. A head that is saved nowhere stops nothing, so it is told.
    """
    codes = _found("one-time codes", lambda: filter(None, [code_channel(settings)]), Health.FAILED, offline=offline)
    yield from codes or [Finding("one-time codes", Health.OK, "none: a yes needs no code")]
    anchors = _found("audit anchor", lambda: anchor_channels(settings), Health.WARNING, offline=offline)
    none = "none: the log's head is saved in the data directory alone"
    yield from anchors or [Finding("audit anchor", Health.OK, none)]
    yield checked("audit log", lambda: _audit_log(settings))


def _found(check: str, named: Callable[[], Iterable[Channel]], worst: Health, *, offline: bool) -> list[Finding]:
    """Look at each channel; one that leads nowhere is as bad as ``worst``."""
    try:
        found = [checked(check, partial(channel.reach, offline=offline)) for channel in [*named()]]
    except ConfigurationError as error:  # no action begins with such a setting
        return [Finding(check, Health.FAILED, str(error), error.exit_code)]
    if worst is Health.FAILED:
        return found
    return [f if f.health is Health.OK else replace(f, health=worst, exit_code=0) for f in found]


def _audit_log(settings: Settings) -> str:
    verdict = AuditLog(settings.home, actor()).verify()
    if not verdict.green:
        raise StoreDamaged(f"{verdict.trouble} No action is done without a record; `kandji-mirror audit verify` asks.")
    return f"{counted(verdict.records, 'record')}, whole in themselves"
