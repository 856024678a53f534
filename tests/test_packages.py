"""The wheel and the sdist: made alike wherever they are made, with all of the packages in them and nothing else."""

import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    f"{folder}/{package}"
    for folder, package in (
        *(("schema", "kandji_schema"), ("mirror", "kandji_mirror"), ("queries", "kandji_queries")),
        *(("watch", "kandji_watch"), ("mcp_server", "kandji_mcp_server"), ("web", "kandji_web")),
        *(("cli", "kandji_cli"), ("simulator", "kandji_simulator")),
    )
}
EPOCH = "1764460800"

pytestmark = pytest.mark.heavy


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("This tree is no clone: git does not say which files belong to it.")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def copy_of_the_tree(folder: Path, files: list[str]) -> Path:
    """Lay the tracked files there, with rights and times that are not those of the tree."""
    for name in files:
        if not name.startswith("tests/"):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes((ROOT / name).read_bytes())
            place.chmod(0o600)
    return folder


def build(source: Path, *arguments: str) -> list[Path]:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", "made", *arguments],
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True,
        check=True,
    )
    return sorted((source / "made").iterdir())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Built:
    files: list[str]
    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    files = tracked()
    wheel, sdist = build(copy_of_the_tree(tmp_path_factory.mktemp("one"), files))
    return Built(files, wheel, sdist)


def test_the_wheel_has_every_file_of_the_packages_and_no_other(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        found = {info.filename for info in wheel.infolist()}
        licences = {name for name in found if ".dist-info/licenses/" in name}
        typed = {name.split("/")[0] for name in found if name.endswith("/py.typed")}
    of_packages = {name.split("/", 1)[1] for name in built.files if "/".join(name.split("/")[:2]) in PACKAGES}
    assert {name for name in found if ".dist-info/" not in name} == of_packages
    assert {name.partition("licenses/")[2] for name in licences} == {
        "LICENSE",
        "web/kandji_web/assets/console.licences.txt",
    }
    assert typed == {package.split("/")[1] for package in PACKAGES}


def test_the_sdist_has_what_makes_the_wheel_and_no_tests(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert found - {"PKG-INFO"} <= set(built.files)
    assert not {name for name in found if name.startswith(("tests/", "bench/", ".ci/", ".github/"))}
    of_packages = {name for name in built.files if "/".join(name.split("/")[:2]) in PACKAGES}
    assert of_packages | {"LICENSE", "README.md", "CHANGELOG.md", "requirements.lock", "docs/settings.md"} <= found


def test_another_folder_and_the_sdist_itself_make_the_same_bytes(built: Built, tmp_path: Path) -> None:
    wheel, sdist = build(copy_of_the_tree(tmp_path / "Größe 2", built.files))
    assert (digest(wheel), digest(sdist)) == (digest(built.wheel), digest(built.sdist))
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path / "from sdist", filter="data")
    (unpacked,) = (tmp_path / "from sdist").iterdir()
    (again,) = build(unpacked, "-t", "wheel")
    assert digest(again) == digest(built.wheel)
