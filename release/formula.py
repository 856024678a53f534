"""The Homebrew formula of a release: the text in ``homebrew`` with the address and the hash of the released sdist."""

from pathlib import Path

from running import ROOT, digest

TEMPLATE = ROOT / "release" / "homebrew" / "kandji-mirror.rb"


def formula(sdist: Path, version: str, page: str) -> str:
    """Return the formula; ``page`` is the folder on the web where the sdist will be, its place stays open without."""
    text = TEMPLATE.read_text(encoding="utf-8")
    filled = text.replace("VERSION.tar.gz", f"{version}.tar.gz").replace("SHA256_OF_THE_SDIST", digest(sdist))
    return filled.replace("RELEASE_PAGE", page.rstrip("/")) if page else filled
