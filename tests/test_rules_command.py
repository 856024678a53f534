"""``rules``: what is in force and where it is from, what is wrong with a file, what it would change."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import run
from support import synced

from kandji_queries.compliance.checked import PLATFORMS, check
from kandji_queries.compliance.rule_set import BUILT_IN
from kandji_simulator.world.hardware import PLATFORM_SHARES

GOOD = """[[rule]]
name = "{name}"
title = "x"
table = "devices"
conditions = [{{ column = "os_version", operator = "not_null" }}]
"""
TWO = """[
  { column = "os_version", operator = "not_null" },
  { column = "os_versio", operator = "not_null" },
]"""
WRONG: dict[str, tuple[str, list[tuple[int | None, str]]]] = {
    "syntax": ('[[rule]]\nname = "a\n', [(2, "cannot be read")]),
    "no end": ("[[rule]]\nx = [\n", [(2, "cannot be read")]),
    "nothing": ("", [(None, "must hold [[rule]]")]),
    "a name twice": (GOOD.format(name="a") + GOOD.format(name="a"), [(7, "no other rule has")]),
    "a key": (GOOD.format(name="a") + "sevrity = 1\n", [(6, "one of severity")]),
    "an operator": (GOOD.format(name="a").replace("not_null", "is_new"), [(5, "operator is 'is_new'")]),
    "a table": (GOOD.format(name="a").replace('"devices"', '"device"'), [(4, "one of devices")]),
    "a column": (
        GOOD.format(name="a") + GOOD.format(name="b").partition("[{")[0] + TWO,
        [(12, "one of os_version")],
    ),
    "a type": (GOOD.format(name="a").replace("not_null", "is_true"), [(5, "fits os_version")]),
    "two rules": (
        GOOD.format(name="A") + GOOD.format(name="b").replace('"x"', "3"),
        [(2, "lower-case letters"), (8, "title is 3")],
    ),
    "no key at all": ("[[rule]]\n[[rule]]\n", [(1, "name is None"), (2, "name is None")]),
    "an old spelling": ('rule = [{ name = "A" }]', [(None, "lower-case")]),
}


@pytest.mark.parametrize("what", WRONG)
def test_all_that_is_wrong_with_a_file_is_told_with_its_line(tmp_path: Path, what: str) -> None:
    text, expected = WRONG[what]
    (tmp_path / "mine.toml").write_text(text)
    found = check(tmp_path / "mine.toml")
    assert [problem.line for problem in found.problems] == [line for line, _ in expected]
    assert all(words in problem.text for problem, (_, words) in zip(found.problems, expected, strict=True))


def test_a_platform_that_no_device_has_is_noted(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD.format(name="a") + 'platforms = ["Mac", "macOS"]\n')
    found = check(tmp_path / "mine.toml")
    assert (found.problems, [doubt.line for doubt in found.doubts]) == ((), [6])
    assert dict(PLATFORM_SHARES).keys() <= set(PLATFORMS)


def asked(home: Path, *arguments: str, **environment: str) -> Any:
    return run(home, "rules", *arguments, **environment)


@pytest.mark.slow
def test_the_rules_in_force_are_shown_with_their_origin_and_what_others_would_change(tmp_path: Path) -> None:
    synced(tmp_path, 20, "devices")
    shown = asked(tmp_path, "show")
    assert "filevault_on" in shown.stdout
    assert "built-in rules" in shown.stderr
    printed = asked(tmp_path, "show", "--built-in").stdout
    assert printed == BUILT_IN.read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text(printed)
    assert "0 of 20 devices would have another outcome" in asked(tmp_path, "check", str(mine)).stdout
    mine.write_text(GOOD.format(name="known"))
    told = asked(tmp_path, "check", str(mine), "--json")
    document = json.loads(told.stdout)
    moved = sum(move["devices"] for move in document["devices_changed"])
    assert (told.returncode, moved + document["devices_same"], document["by_rule"]["after"].keys()) == (
        0,
        20,
        {"known"},
    )
    assert moved > 0
    mine.rename(tmp_path / "compliance.toml")
    shown = asked(tmp_path, "show", "-f", "csv")
    assert (shown.stdout.splitlines()[1].split(",")[0], "in the data directory" in shown.stderr) == ("known", True)


def test_a_file_is_checked_without_a_mirror_and_the_code_says_what_it_is_worth(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(GOOD.format(name="a"))
    bad.write_text(GOOD.format(name="A"))
    done = asked(tmp_path, "check", str(good))
    assert (done.returncode, "1 rule, nothing is wrong" in done.stdout, "not known" in done.stderr) == (0, True, True)
    done = asked(tmp_path, "check", str(bad))
    assert (done.returncode, done.stdout.startswith(f"{bad}:2: rule 1: name is 'A'")) == (3, True)
    assert asked(tmp_path, "check", str(tmp_path / "none.toml")).returncode == 3


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="only POSIX has a file without an end")
def test_a_file_without_an_end_is_refused(tmp_path: Path) -> None:
    heads = run(tmp_path, "audit", "verify", "--against", "/dev/zero")
    assert (heads.returncode, "it is a device" in heads.stderr) == (2, True)
    done = run(tmp_path, "rules", "check", "/dev/zero")
    assert (done.returncode, "million letters" in done.stdout) == (3, True)
