"""``kandji-mirror evidence``: a folder for an auditor. Its path on stdout, what has to be known of it on stderr."""

import signal
from datetime import UTC, datetime
from pathlib import Path

from kandji_cli.output import say, say_document, tell
from kandji_cli.reads import open_reader
from kandji_queries.compliance.rule_set import RuleFile
from kandji_queries.evidence import record
from kandji_queries.evidence.contents import Evidence, gap_spans
from kandji_queries.evidence.exceptions import read_exceptions
from kandji_queries.evidence.folder import checked, write_folder
from kandji_queries.evidence.framework import built_in, read_framework
from kandji_queries.evidence.reading import Wanted, read_evidence, read_period
from kandji_queries.evidence.signature import sign, signer_of
from kandji_queries.evidence.tables import csv_files
from kandji_queries.evidence.verifying import verify
from kandji_schema.errors import Interrupted, UsageError
from kandji_schema.installation import mirror_version
from kandji_schema.settings import load
from kandji_schema.text import counted, size
from kandji_web.evidence.nameless import without_names
from kandji_web.evidence.writing import html

INDEX = "index.html"

SAID = 6
"""Most gaps that are told one by one."""


def write(
    *,
    first: str | None,
    last: str,
    framework: str | None,
    to: str,
    exceptions: str | None,
    key: str | None,
    anonymous: bool,
    as_json: bool,
) -> None:
    """Write evidence of the configured mirror."""
    if first is None:
        raise UsageError("--from is missing: the first day of the period, such as 2026-07-01.")
    if framework is None:
        raise UsageError(f"--framework is missing. Name {', '.join(built_in())}, or a .toml file of your own.")
    settings = load()
    read_period(first, last, datetime.now(UTC))  # what is wrong of it is told before anything is opened
    folder = checked(to, settings.home)
    wanted = Wanted(
        first=first,
        last=last,
        framework=read_framework(framework),
        exemptions=() if exceptions is None else read_exceptions(Path(exceptions).expanduser()),
    )
    signing = None if key is None else Path(key)
    if signing is not None:
        signer_of(signing)
    rules = RuleFile(settings.home, settings.mirror_compliance_file).rules()
    with open_reader(bounded=signing is None) as reader:  # what signs would inherit the bounds
        found = read_evidence(reader, rules, wanted, version=mirror_version(), masked=settings.privacy.masks_people)
        found = without_names(reader, found) if anonymous else found
    files = _files(found)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    manifest = record.manifest(found, files)

    def finish(made: Path) -> None:
        if signing is not None:
            sign(made / record.MANIFEST, signing)

    written = write_folder(folder, {**files, record.MANIFEST: manifest}, finish)
    if as_json:
        say_document({"folder": str(folder), "bytes": written, **_summary(found)})
        return
    say(str(folder / INDEX))
    _tell(found)
    tell(f"{counted(len(files) + 1, 'file')}, {size(written)}, in {folder}.")


def check(folder: str, key: str | None, *, as_json: bool) -> None:
    """Check a folder of evidence."""
    found = verify(Path(folder).expanduser(), None if key is None else Path(key))
    known = found.manifest
    if as_json:
        say_document(
            {"files": found.files, "bytes": found.bytes, "signature": found.signature, "manifest": dict(known)}
        )
        return
    period = known.get("period", {})
    say(
        f"{counted(found.files, 'file')}, {size(found.bytes)}, as made on {known.get('made_at')} for "
        f"{known.get('tenant')}, {period.get('first_day')} to {period.get('last_day')}."
    )
    say(found.signature)


def _stop(*_: object) -> None:
    """End by way of the writing, which takes away what it has begun."""
    raise Interrupted("Stopped; no evidence was written.")


def _files(evidence: Evidence) -> dict[str, bytes]:
    return {
        INDEX: html(evidence).encode(),
        record.JSON: record.document(evidence),
        **dict(csv_files(evidence)),
        **dict(record.statement_files(evidence)),
    }


def _summary(evidence: Evidence) -> dict[str, object]:
    days = len(evidence.period)
    return {
        "controls": len(evidence.controls),
        "devices": evidence.devices,
        "days": days,
        "days_known": evidence.known_days,
        "gaps": len(evidence.gaps),
        "notes": list(evidence.notes),
    }


def _tell(evidence: Evidence) -> None:
    for note in evidence.notes:
        tell(note)
    spans = gap_spans(evidence.gaps)
    for gap in spans[:SAID]:
        days = str(gap.first) if gap.days == 1 else f"{gap.first} to {gap.last}"
        tell(f"Not known on {days}: {', '.join(gap.tables)} ({gap.why}).")
    if len(spans) > SAID:
        tell(f"And {len(spans) - SAID} more gaps; gaps.csv has all.")
    for use in evidence.exemptions:
        if not use.status.startswith("applied"):
            tell(f"Exception of {use.exemption.serial_number} from {use.exemption.control}: {use.status}.")
    for told in evidence.controls:
        if told.not_measured:
            tell(f"{told.control.id}: {told.not_measured}")
    tell(
        f"{counted(len(evidence.controls), 'control')}, {counted(evidence.devices, 'device')}; "
        f"{evidence.known_days} of {counted(len(evidence.period), 'day')} are known."
    )
