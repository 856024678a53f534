"""Evidence is checked: every file is what the manifest says, none is missing or more, and the signature fits."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kandji_queries.evidence import record
from kandji_queries.evidence.signature import SIGNERS, check, signature_of
from kandji_queries.export.folder import HARMLESS
from kandji_schema.errors import StoreDamaged, UsageError

LARGEST = 10_000_000
"""Bytes of a manifest."""

NAMED = 5
"""Most faults that an error names."""


@dataclass(frozen=True)
class Verified:
    """Evidence that is whole: what its manifest says, how many files it has, and what was found of the signature."""

    manifest: Mapping[str, Any]
    files: int
    bytes: int
    signature: str


def verify(folder: Path, key: Path | None = None) -> Verified:
    """Check a folder of evidence, its signature by a public ``key`` where one is named.

    :class:`UsageError` where it is none, :class:`StoreDamaged` naming what is altered, missing or more.
    """
    manifest = folder / record.MANIFEST
    known = _read(manifest)
    if faults := [*_faults(folder, known)]:
        more = f" and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        raise StoreDamaged(f"The evidence in {folder} is not as it was made: {'; '.join(faults[:NAMED])}{more}.")
    found = signature_of(manifest)
    if found is None and key is not None:
        raise StoreDamaged(f"The evidence in {folder} has no signature, so that nothing is there to check by {key}.")
    told = check(manifest, *found, key) if found else "It has no signature: the hashes tell that files go together."
    return Verified(known, len(known["files"]), sum(file["bytes"] for file in known["files"]), told)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} has more than {LARGEST:,} bytes, and is no manifest of evidence.")
        known = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path} cannot be read: {reason}. Name a folder that `kandji-mirror evidence` made."
        ) from error
    if not record.is_evidence(known):
        raise UsageError(f"{path} is no manifest of evidence. Name a folder that `kandji-mirror evidence` made.")
    found: Mapping[str, Any] = known
    return found


def _faults(folder: Path, known: Mapping[str, Any]) -> Iterator[str]:
    named = {file["path"] for file in known["files"]}
    for file in known["files"]:
        yield from _fault(folder, file)
    aside = {record.MANIFEST, *(f"{record.MANIFEST}{signer.ending}" for signer in SIGNERS)}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (path.is_symlink() or not path.is_dir()) and name not in named | aside and path.name not in HARMLESS:
            yield f"{name} is not part of it"


def _fault(folder: Path, file: Mapping[str, Any]) -> Iterator[str]:
    name, parts = file["path"], PurePosixPath(file["path"])
    path = folder / name
    if parts.is_absolute() or ".." in parts.parts or path.is_symlink():
        yield f"{name[:100]!r} is no name of a file in it"
    elif not path.is_file():
        yield f"{name} is missing"
    elif path.stat().st_size != file["bytes"]:
        yield f"{name} has {path.stat().st_size:,} bytes and not {file['bytes']:,}"
    else:
        with path.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != file.get("sha256"):
                yield f"{name} was altered"
