"""Make a release: build, check and try it, and say what a person does next. Nothing is ever pushed or uploaded.

python release/release.py 0.2.0 [--date 2026-12-01] [--write] [--page URL] [--python PATH ...]

A dry run unless --write is given: all is made from a copy of the committed tree and lies in ``dist`` at the end. With
--write the version and the section of the changelog are written into the tree as well, for a person to commit.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import changelog
from formula import formula
from running import ROOT, Failed, digest, make_environment, program, run, tools
from smoke import NotWell, smoke

from bundle import pack

EXTRAS = "charts,keyring,socks,xlsx"
DIST = ROOT / "dist"


@dataclass(frozen=True)
class Release:
    """What is to be released, and the copy of the tree that it is made from."""

    version: str
    day: date
    source: Path
    moment: str
    """Seconds since 1970 from which every file is dated."""


def main(arguments: Sequence[str]) -> int:
    """Carry out all steps; 0 where the release can go out, else 1 with the reason."""
    asked = _options().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="release-") as folder:
            release = prepare(asked.version, asked.date, Path(folder) / "source")
            shutil.rmtree(DIST, ignore_errors=True)
            DIST.mkdir()
            wheel, sdist = build(release, Path(folder))
            for python in asked.python or [sys.executable]:
                environment = try_it(wheel, Path(folder), python)
            describe(release, wheel, sdist, environment, asked.page)
            if asked.write:
                changed = write(release)
                _tell(f"Written: {', '.join(changed)}")
        _tell(_next(release, written=asked.write, page=asked.page))
    except (Failed, NotWell, subprocess.TimeoutExpired) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


def prepare(version: str, day: date, source: Path) -> Release:
    """Copy what is committed, and write version, changelog and generated pages into the copy."""
    if changes := run("git", "status", "--porcelain"):
        raise Failed(f"The tree has changes that are not committed:\n{changes}")
    source.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S607
    with tarfile.open(fileobj=BytesIO(archive)) as tree:
        tree.extractall(source, filter="data")
    log, project = source / "CHANGELOG.md", source / "pyproject.toml"
    text = log.read_text(encoding="utf-8")
    dated = changelog.with_section(text, changelog.checked_version(version, text), day)
    log.write_text(dated, encoding="utf-8")
    project.write_text(changelog.with_version(project.read_text(encoding="utf-8"), version), encoding="utf-8")
    folders = ("schema", "mirror", "queries", "watch", "mcp_server", "web", "cli", "simulator")
    own = os.pathsep.join(str(source / name) for name in folders)
    run(sys.executable, "docs/generate.py", cwd=source, env={"PYTHONPATH": own})
    _tell(f"{version} of {day}, from {run('git', 'rev-parse', '--short', 'HEAD').strip()}")
    return Release(version, day, source, changelog.moment(dated, version))


def build(release: Release, folder: Path) -> tuple[Path, Path]:
    """Build twice, in two folders, compare, and have twine look at what came; the files lie in ``dist``."""
    made = [_built(release, folder / name) for name in ("one", "another one")]
    first, second = ({path.name: digest(path) for path in paths} for paths in made)
    if first != second:
        raise Failed(f"Two builds of one tree differ: {first} and {second}.")
    wheel, sdist = (Path(shutil.copy(path, DIST)) for path in made[0])
    run(program(tools(), "twine"), "check", "--strict", wheel, sdist)
    for name, found in first.items():
        _tell(f"{name}, twice the same: {found}")
    return wheel, sdist


def _built(release: Release, folder: Path) -> list[Path]:
    shutil.copytree(release.source, folder)
    out = folder / "made"
    run(program(tools(), "hatchling"), "build", "-d", out, cwd=folder, env={"SOURCE_DATE_EPOCH": release.moment})
    return sorted(out.iterdir())


def try_it(wheel: Path, folder: Path, python: str) -> Path:
    """Install the wheel with its extras, all by hash, into an empty environment of a Python, and try it."""
    environment = make_environment(folder / f"environment {Path(python).parent.parent.name}", python)
    run(program(environment, "python"), "release/locked.py", wheel, EXTRAS)
    run(program(environment, "python"), "-m", "pip", "check")
    for told in smoke([str(program(environment, "kandji-mirror"))]):
        _tell(f"{Path(python).name}: {told}")
    return environment


def describe(release: Release, wheel: Path, sdist: Path, environment: Path, page: str) -> None:
    """Put beside the packages what belongs to them: SBOM, locks, formula, bundle, and the hashes of all."""
    pip = (program(environment, "python"), "-m", "pip")
    run(*pip, "uninstall", "--quiet", "--yes", "setuptools", "pip")  # they installed it, and are no part of it
    run(
        *(program(tools(), "cyclonedx-py"), "environment", "--output-reproducible", "--of", "JSON"),
        *("--pyproject", release.source / "pyproject.toml", "-o", DIST / f"kandji-mirror-{release.version}.cdx.json"),
        program(environment, "python"),
        env={"SOURCE_DATE_EPOCH": release.moment},
    )
    for name in ("requirements.lock", "constraints.txt"):
        shutil.copy(release.source / name, DIST)
    (DIST / "kandji-mirror.rb").write_text(formula(sdist, release.version, page), encoding="utf-8")
    try:
        pack(wheel, DIST, release.source)
    except Failed as error:
        _tell(f"No bundle for Claude Desktop: {error}")
    files = sorted(path for path in DIST.iterdir() if path.is_file())
    sums = "".join(f"{digest(path)}  {path.name}\n" for path in files)
    (DIST / "SHA256SUMS").write_text(sums, encoding="utf-8")
    _tell(f"In dist: {', '.join(path.name for path in files)}, SHA256SUMS")


def write(release: Release) -> list[str]:
    """Take over into the tree what the release changed in its copy; return the names of those files."""
    names = run("git", "ls-files").splitlines()
    changed = [n for n in names if (release.source / n).is_file() and _differ(release.source / n, ROOT / n)]
    for name in changed:
        shutil.copyfile(release.source / name, ROOT / name)
    return changed


def _differ(one: Path, other: Path) -> bool:
    return one.read_bytes() != other.read_bytes()


def _next(release: Release, *, written: bool, page: str) -> str:
    v = release.version
    if not written:
        return f"\nA dry run: the tree is as it was. To go on: make release VERSION={v} WRITE=yes"
    address = "" if page else "\n  Put the address of the release's files into dist/kandji-mirror.rb (RELEASE_PAGE)."
    return f"""
Nothing was pushed. What a person does next:
  git commit -am "Release {v}" && git tag -s v{v} -m "kandji-mirror {v}"
  git push origin main v{v}                 # CI has to pass on it
  twine upload dist/*.whl dist/*.tar.gz
  Attach dist/* to the release of v{v}; its text is the changelog's section.{address}
  mcp-publisher publish                     # server.json, for the MCP registry
Who builds that commit with SOURCE_DATE_EPOCH={release.moment} gets the same hashes."""


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("version", help="Three numbers, newer than what the changelog has.")
    options.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="Today, UTC.")
    options.add_argument("--write", action="store_true", help="Also write version and changelog into the tree.")
    options.add_argument("--page", default="", help="Where the files will be: the formula's address.")
    options.add_argument("--python", action="append", help="A Python to try it on; repeatable, by default this one.")
    return options


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
