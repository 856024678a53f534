"""Completion by the Tab key: in a real bash, and what zsh and fish would be told."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import COMMAND, environment, run

from kandji_queries.catalog.queries import catalog
from kandji_schema.registry import resources

PRESSED = """
eval "$(kandji-mirror completion bash)"
press() {
    COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); COMPREPLY=()
    _kandji_mirror_completion kandji-mirror 2>/dev/null
    echo "${COMPREPLY[*]}"
}
"""
CASES = [
    (["sy"], {"sync"}),
    (["query", "stale_dev"], {"stale_devices"}),
    (["query", "devices_by", "-p", ""], {"attribute=", "platform="}),
    (["query", "devices_by", "-p", "platform", "=", "i"], {"iPhone", "iPad"}),
    (["query", "devices_by", "--param", "attribute", "="], {"platform", "os", "os_version", "model", "blueprint",
      "department", "tag", "agent_version", "last_check_in", "enrolled"}),
    (["sql", "--format", "=", "js"], {"json", "jsonl"}),
    (["sql", "--strict", "-f", "c"], {"csv"}),
    (["sync", "prism_file"], {"prism_filevault"}),
    (["describe", "fleet_act"], {"fleet_activity"}),
    (["mcp-config", "claude"], {"claude-desktop", "claude-code"}),
    (["evidence", "--framework", "s"], {"soc2"}),
    (["--tenant", "a"], {"acme"}),
    (["action", "lock", "--rea"], {"--reason"}),
    (["help", "act"], {"action"}),
    (["query", "no_such_query", "-p", ""], set()),
]  # fmt: skip


@pytest.mark.heavy
def test_a_real_bash_completes(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("this system has no bash")
    folder = tmp_path / "config" / "kandji-mirror"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[tenants.acme]\nsubdomain = "acme"\n')
    env = environment(tmp_path) | {"PATH": f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"}
    some = [case for place, case in enumerate(CASES) if place in {0, 2, 3, 5, 11}]
    pressed = PRESSED + "\n".join(f"press kandji-mirror {' '.join(map(repr, words))}" for words, _ in some)
    done = subprocess.run([bash, "--norc", "-c", pressed], env=env, capture_output=True, text=True, check=True)
    assert [set(line.split()) for line in done.stdout.splitlines()] == [offered for _, offered in some], done.stderr
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(("words", "offered"), CASES)
def test_what_may_follow_is_offered_without_a_mirror(tmp_path: Path, words: list[str], offered: set[str]) -> None:
    if words[0] == "--tenant":
        pytest.skip("needs a profile, which the test above has")
    asked = {"COMP_WORDS": "\n".join(["kandji-mirror", *words]), "COMP_CWORD": str(len(words))}
    if words[-1] == "":
        asked["COMP_WORDS"] += "\n"
    done = run(tmp_path, _KANDJI_MIRROR_COMPLETE="bash_complete", **asked)
    assert (done.returncode, done.stderr) == (0, "")
    assert {line.partition(",")[2] for line in done.stdout.split()} == offered


def test_zsh_and_fish_are_told_whole_words(tmp_path: Path) -> None:
    words = "kandji-mirror query devices_by -p platform=M"
    told = run(tmp_path, _KANDJI_MIRROR_COMPLETE="zsh_complete", COMP_WORDS=words, COMP_CWORD="4").stdout
    assert told.split() == ["plain", "platform=Mac", "_"]
    told = run(tmp_path, _KANDJI_MIRROR_COMPLETE="fish_complete", COMP_WORDS=words, COMP_CWORD="platform=M").stdout
    assert "platform=Mac" in told
    for shell, word in (("zsh", "#compdef kandji-mirror"), ("fish", "complete --no-files --command kandji-mirror")):
        assert word in run(tmp_path, "completion", shell).stdout


def test_all_tables_and_queries_are_offered(tmp_path: Path) -> None:
    for words, there in ((["describe", ""], {*resources(), *catalog()}), (["query", ""], {*catalog()})):
        asked = {"COMP_WORDS": "\n".join(["kandji-mirror", *words]), "COMP_CWORD": "2"}
        told = run(tmp_path, _KANDJI_MIRROR_COMPLETE="bash_complete", **asked).stdout
        assert there <= {line.partition(",")[2] for line in told.split()}


def test_it_imports_no_engine_and_takes_no_time(tmp_path: Path) -> None:
    asked = {"COMP_WORDS": "kandji-mirror query devices_by -p p", "COMP_CWORD": "4"}
    env = environment(tmp_path, _KANDJI_MIRROR_COMPLETE="bash_complete", **asked)
    began = os.times()
    done = subprocess.run([COMMAND], env=env, capture_output=True, text=True, check=True)
    ended = os.times()
    assert done.stdout == "plain,platform=\n"
    assert (ended.children_user + ended.children_system) - (began.children_user + began.children_system) < 0.4
