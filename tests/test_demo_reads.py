"""What is read after `demo` by somebody who has nothing else, and by everybody else."""

import subprocess
from pathlib import Path

import pytest
from commands import run
from support import synced

COUNT = ("sql", "SELECT count(*) AS n FROM devices", "-f", "csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user whose default home has the demo's mirror and no other."""
    folder = tmp_path_factory.mktemp("tried")
    synced(folder / "data" / "kandji-mirror" / "demo", 20)
    return folder


def asked(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(folder, *arguments, **{"KANDJI_MIRROR_HOME": "", "XDG_DATA_HOME": str(folder / "data"), **settings})


def test_after_the_demo_its_tenant_answers_and_that_is_said_each_time(folder: Path) -> None:
    done = asked(folder, *COUNT)
    assert (done.returncode, done.stdout) == (0, "n\n20\n"), done.stderr
    assert "No account is set up: this is the demo's simulated tenant" in done.stderr
    for arguments in (["overview"], ["status"], ["tables"]):
        done = asked(folder, *arguments)
        assert (done.returncode, done.stderr.count("No account is set up")) == (0, 1), done.stderr


@pytest.mark.parametrize(
    "named",
    [
        {"KANDJI_SUBDOMAIN": "acme"},
        {"KANDJI_API_URL": "https://acme.api.iru.com"},
        {"KANDJI_API_TOKEN": "some-token"},
        {"KANDJI_MIRROR_HOME": "{}/own"},
    ],
)
def test_who_has_an_account_never_gets_the_demo(folder: Path, named: dict[str, str]) -> None:
    done = asked(folder, *COUNT, **{name: value.format(folder) for name, value in named.items()})
    assert (done.returncode, done.stdout) == (7, ""), done.stderr
    assert "simulated" not in done.stderr


def test_who_has_a_profile_or_a_mirror_never_gets_the_demo(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "config" / "kandji-mirror"
    config.mkdir(parents=True)
    (config / "config.toml").write_text('[tenants.acme]\nsubdomain = "acme"\n')
    done = asked(folder, *COUNT, XDG_CONFIG_HOME=str(tmp_path / "config"))
    assert (done.returncode != 0, done.stdout) == (True, "")
    synced(tmp_path / "data" / "kandji-mirror", 50)
    synced(tmp_path / "data" / "kandji-mirror" / "demo", 20)
    done = asked(tmp_path, *COUNT, XDG_CONFIG_HOME=str(tmp_path / "none"))
    assert (done.stdout, "simulated" in done.stderr) == ("n\n50\n", False)
