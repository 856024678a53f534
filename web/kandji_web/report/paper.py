"""A report as PDF, printed by a browser of this machine: the page is made for paper, and nothing draws it better.

The browser gets a folder of its own, no environment of ours, and no name that it could find an address of.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kandji_schema.errors import NotExported, UsageError

BROWSERS = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "microsoft-edge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
"""Those that print without a window, by name or path."""

OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pdf-header-footer",
)

SECONDS = 120
"""How long a browser may take."""


def browser() -> str:
    """Return a browser that prints; :class:`UsageError` where there is none, and how one prints by hand."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise UsageError(
            "--pdf needs Chrome, Chromium or Edge on this machine, and none is found. Leave --pdf out, open the report "
            "in any browser and print it as PDF: the page is made for that."
        )
    return found


def pdf_of(page: str) -> bytes:
    """Return a page printed as PDF; :class:`NotExported` where the browser fails or takes too long."""
    program = browser()
    with tempfile.TemporaryDirectory(prefix="kandji-mirror-") as made:
        folder = Path(made)
        source, target = folder / "report.html", folder / "report.pdf"
        source.write_text(page, encoding="utf-8")
        command = [program, *OPTIONS, *_as_root(), f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={target}"]
        try:
            done = subprocess.run(  # noqa: S603  # a browser by its own name, and a file of ours
                [*command, source.as_uri()], env=_environment(folder), capture_output=True, timeout=SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NotExported(
                f"{program} printed no PDF: {error}. The report without --pdf prints in any browser."
            ) from error
        if not target.is_file():
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise NotExported(f"{program} printed no PDF (code {done.returncode}): {' '.join(last)[:300]}")
        return target.read_bytes()


def _as_root() -> Iterator[str]:
    """Let a browser run as root, as in containers, where it refuses to without."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield "--no-sandbox"


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "SYSTEMROOT") if name in os.environ}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder)}
