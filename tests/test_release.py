"""What a release is made with: refusals, the changelog's section, the formula, and the bundle for Claude Desktop."""

import json
import shutil
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
from changelog import checked_version, moment, section, with_section, with_version
from formula import formula
from running import Failed, digest

from bundle import lay_out, pack

ROOT = Path(__file__).resolve().parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
LOG = "# Log\n\n## Unreleased\n\n### Easier\n- More.\n\n## 0.9.0 - 2026-11-01\n\n- Less.\n\n## 0.10.0 - 2026-11-02\n"


def test_what_is_unreleased_gets_its_version_and_day_and_the_rest_stays() -> None:
    made = with_section(LOG, "0.11.0", date(2026, 12, 1))
    assert section(made, "0.11.0") == "### Easier\n- More."
    assert section(made, "Unreleased") == ""
    assert made.replace("\n## 0.11.0 - 2026-12-01\n", "", 1) == LOG
    assert moment(made, "0.11.0") == "1796083200"
    with pytest.raises(Failed, match="nothing under Unreleased"):
        with_section(made, "0.12.0", date(2026, 12, 2))


@pytest.mark.parametrize(
    ("version", "why"),
    [("0.11.0", ""), ("1.0.0", ""), ("0.10.0", "0.10.0"), ("0.9.9", "not newer"), ("1.0", "three"), ("v1.0.0", "v1")],
)
def test_a_version_is_three_numbers_and_newer_than_all_before(version: str, why: str) -> None:
    if not why:
        assert checked_version(version, LOG) == version
        return
    with pytest.raises(Failed, match=why):
        checked_version(version, LOG)


def test_the_version_stands_in_one_line_of_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(with_version(text, "9.8.7"))["project"]["version"] == "9.8.7"
    assert with_version(with_version(text, "9.8.7"), VERSION) == text


@pytest.mark.slow
def test_a_release_of_a_changed_tree_or_an_old_version_is_refused(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "release", tmp_path / "release")
    for name in ("CHANGELOG.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.com")

    def refused(version: str) -> str:
        asked = [sys.executable, "release/release.py", version]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    for command in (("init", "-q"), ("add", "pyproject.toml"), ("commit", "-qm", "One")):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    assert "?? CHANGELOG.md" in refused("99.0.0")
    for command in (("add", "-A"), ("commit", "-qm", "Two")):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    assert "0.0.1 is not newer than" in refused("0.0.1")


def test_the_formula_has_the_address_and_the_hash_of_the_sdist(tmp_path: Path) -> None:
    sdist = tmp_path / "kandji_mirror-1.2.3.tar.gz"
    sdist.write_bytes(b"packed")
    text = formula(sdist, "1.2.3", "https://example.com/v1.2.3/")
    assert 'url "https://example.com/v1.2.3/kandji_mirror-1.2.3.tar.gz"' in text
    assert f'sha256 "{digest(sdist)}"' in text
    assert "RELEASE_PAGE" in formula(sdist, "1.2.3", "")
    if shutil.which("ruby"):
        (tmp_path / "f.rb").write_text(text)
        subprocess.run(["ruby", "-c", "f.rb"], cwd=tmp_path, check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    file = tmp_path / f"kandji_mirror-{VERSION}-py3-none-any.whl"
    file.write_bytes(b"packed")
    return file


def test_the_bundle_asks_for_a_secret_token_only_reads_and_pins_what_it_installs(tmp_path: Path, wheel: Path) -> None:
    laid = lay_out(wheel, tmp_path / "laid")
    manifest = json.loads((laid / "manifest.json").read_text(encoding="utf-8"))
    started = manifest["server"]["mcp_config"]
    assert (manifest["version"], manifest["server"]["type"]) == (VERSION, "uv")
    assert [key for key, field in manifest["user_config"].items() if field.get("sensitive")] == ["api_token"]
    assert {f"${{user_config.{key}}}" for key in manifest["user_config"]} < set(started["env"].values())
    assert started["env"]["KANDJI_MIRROR_ACTIONS"] == "off"
    assert (laid / started["args"][-1]).is_file()
    project = tomllib.loads((laid / "pyproject.toml").read_text(encoding="utf-8"))
    assert (laid / project["tool"]["uv"]["sources"]["kandji-mirror"]["path"]).read_bytes() == b"packed"
    pinned = {line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert {line.partition(" ;")[0] for line in project["tool"]["uv"]["constraint-dependencies"]} == pinned
    with pytest.raises(Failed, match="is not of version"):
        lay_out(wheel.rename(tmp_path / "kandji_mirror-0.0.0-py3-none-any.whl"), tmp_path / "other")


def test_fields_that_were_left_empty_are_not_taken_for_settings(tmp_path: Path) -> None:
    (tmp_path / "kandji_mcp_server").mkdir()
    (tmp_path / "kandji_mcp_server" / "__init__.py").touch()
    (tmp_path / "kandji_mcp_server" / "main.py").write_text(
        "import os\ndef serve_over_stdio(): print({k: v for k, v in os.environ.items() if k.startswith('KANDJI_')})\n"
    )
    filled = {"KANDJI_SUBDOMAIN": "acme", "KANDJI_REGION": "${user_config.region}", "KANDJI_MIRROR_PRIVACY": " "}
    shutil.copy(ROOT / "release/mcpb/server.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "server.py"], cwd=tmp_path, env=filled, capture_output=True, text=True, check=True
    )
    assert done.stdout == "{'KANDJI_SUBDOMAIN': 'acme'}\n"


@pytest.mark.many
def test_the_packer_of_bundles_takes_the_manifest_and_packs_it(tmp_path: Path, wheel: Path) -> None:
    if shutil.which("npx") is None:
        pytest.skip("The packer comes from npm, and there is no npx here.")
    try:
        made = pack(wheel, tmp_path)
    except Failed as error:
        if "npm error" in str(error) and "manifest" not in str(error).lower():
            pytest.skip(f"The packer cannot be had: {str(error)[-200:]}")
        raise
    assert made.name == f"kandji-mirror-{VERSION}.mcpb"
    assert made.stat().st_size > 1_000
