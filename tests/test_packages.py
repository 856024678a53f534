"""The wheel and the sdist: made alike wherever they are made, with all of the packages in them and nothing else."""

import hashlib
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from smoke import smoke

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


def own_environment(folder: Path, wheel: Path, without: Sequence[str] = ()) -> Path:
    """Make an environment that has the wheel, and what it needs by links to what this one has; returns its command."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.lower().startswith(("kandji", "_editable", *without)):
            (site / path.name).symlink_to(path)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # noqa: S202  # our own wheel
    command = folder / "bin" / "kandji-mirror"
    command.write_text(f"#!{folder}/bin/python\nfrom kandji_cli import run\nrun()\n")
    command.chmod(0o755)
    return command


EXTRAS = ("vl_convert", "keyring", "socksio", "xlsxwriter")


@pytest.mark.skipif(sys.platform == "win32", reason="links and scripts of POSIX")
def test_the_wheel_alone_does_all_that_a_newcomer_tries_and_names_each_extra(built: Built, tmp_path: Path) -> None:
    command = own_environment(tmp_path / "empty", built.wheel, without=EXTRAS)
    told = [line.partition(":")[0] for line in smoke([str(command)])]
    assert told == ["version", "demo", "sql", "mcp", "serve"]
    settings = {"KANDJI_SUBDOMAIN": "acme", "KANDJI_API_TOKEN": "x" * 20, "ALL_PROXY": "socks5://127.0.0.1:1"}
    for extra, asked in (
        ("charts", ("query", "devices_by", "--chart", "x.svg")),
        ("keyring", ("login", "--subdomain", "acme", "--offline", "--keychain", "--token-stdin")),
        ("socks", ("sync", "devices")),
        ("xlsx", ("export", "devices", "--format", "xlsx", "--to", "out")),
    ):
        done = subprocess.run(
            [str(command), *asked],
            env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], **settings},
            input="0123456789abcdef",
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 3, (asked, done.stderr)
        assert f"the extra `{extra}`" in done.stderr, done.stderr
        assert f"pip install 'kandji-mirror[{extra}]'" in done.stderr, done.stderr
