"""``evidence.json`` and ``manifest.json``: the same numbers for programs, and what every file is known by."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from kandji_queries.evidence.contents import ControlEvidence, DayCount, Evidence
from kandji_queries.export.manifest import FORMAT, MADE_BY
from kandji_schema.utc import in_seconds

KIND = "evidence"
MANIFEST = "manifest.json"
JSON = "evidence.json"
STATEMENTS = "statements"


def document(evidence: Evidence) -> bytes:
    """Return ``evidence.json``; docs/evidence.md tells what each member is."""
    told = {
        **_head(evidence),
        "framework": {"name": evidence.framework.name, "edition": evidence.framework.edition},
        "rules_file": evidence.rules_file,
        "rules": [vars(rule) for rule in evidence.rules],
        "devices": evidence.devices,
        "completeness": {
            "days": len(evidence.period),
            "days_known": evidence.known_days,
            "gaps": [
                {
                    **{"first_day": gap.first, "last_day": gap.last, "days": gap.days, "table": gap.table},
                    **{"kind": gap.kind, "why": gap.why, "controls": list(gap.controls)},
                }
                for gap in evidence.gaps
            ],
        },
        "controls": [_control(control) for control in evidence.controls],
        "exceptions": [*_exceptions(evidence)],
        "limits": list(evidence.limits),
        "notes": list(evidence.notes),
        "statements": {name: f"{STATEMENTS}/{name}.sql" for name in evidence.statements},
    }
    return _json(told)


def manifest(evidence: Evidence, files: Mapping[str, bytes]) -> bytes:
    """Return ``manifest.json`` of these files."""
    listed = [
        {"path": name, "bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in sorted(files.items())
    ]
    return _json({**_head(evidence), "framework": evidence.framework.name, "files": listed})


def statement_files(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """Give every statement as a file, with what its parameters were."""
    period = evidence.period
    given = (
        f"-- $first_day = {period.first}, $last_day = {period.last}, $moment = {period.moment:%Y-%m-%d %H:%M:%S.%f}, "
        "UTC\n-- kandji-mirror sql - runs it, with --param for each of them that it has.\n"
    )
    for name, sql in evidence.statements.items():
        yield f"{STATEMENTS}/{name}.sql", f"{given}{sql.strip()}\n".encode()


def is_evidence(document: Any) -> bool:
    """Tell whether a document is the manifest of evidence."""
    try:
        files: Sequence[Any] = document["files"]
        ours = document["made_by"] == MADE_BY and document["kind"] == KIND
        return bool(ours and all(isinstance(f["path"], str) and isinstance(f["bytes"], int) for f in files))
    except (KeyError, TypeError):
        return False


def _head(evidence: Evidence) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "made_by": MADE_BY,
        "kind": KIND,
        "version": evidence.version,
        "tenant": evidence.tenant,
        "made_at": in_seconds(evidence.made_at),
        "period": {"first_day": evidence.period.first, "last_day": evidence.period.last, "zone": "UTC"},
        "mirror": {
            "generation": evidence.generation,
            "published_at": in_seconds(evidence.published_at),
            "as_of": dict(evidence.as_of),
        },
        "masked": evidence.masked,
        "anonymous": evidence.anonymous,
    }


def _control(told: ControlEvidence) -> dict[str, Any]:
    control = told.control
    return {
        "id": control.id,
        "title": control.title,
        "measured": control.measured,
        "rules": list(control.rules),
        "tables": list(told.tables),
        "not_measured": told.not_measured or None,
        "start": _count(told.start) if told.days else None,
        "end": _count(told.end) if told.days else None,
        "devices": len(told.lines),
        "devices_ever_failed": told.ever_failed,
        "days_known": len(told.days) - told.gap_days if told.days else None,
        "days_gap": told.gap_days if told.days else None,
        "days": [_count(count) for count in told.days],
    }


def _count(count: DayCount) -> dict[str, Any]:
    return {
        "day": count.day,
        "state": "gap" if count.is_gap else "known",
        "passed": count.passed,
        "failed": count.failed,
        "unknown": count.unknown,
        "excepted": count.excepted,
        "devices": count.devices,
        "percent_passed": count.percent,
    }


def _exceptions(evidence: Evidence) -> Iterator[dict[str, Any]]:
    for use in evidence.exemptions:
        known = use.exemption
        yield {
            **{"control": known.control, "serial_number": known.serial_number},
            **{"reason": known.reason, "approved_by": known.approved_by},
            **{"from": known.first_day, "until": known.last_day, "status": use.status, "days_excepted": use.days},
        }


def _json(told: Mapping[str, Any]) -> bytes:
    return (json.dumps(told, indent=1, ensure_ascii=False, default=str) + "\n").encode()
