"""A small version of the week of `bench/week.py`: two days of a few hours, a night each, nothing grows."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent / "bench" / "week.py"


def week() -> ModuleType:
    found = importlib.util.spec_from_file_location("week", SCRIPT)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["week"] = module
    found.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zone of a process")
def test_what_grows_is_told() -> None:
    module = week()
    facts = dict.fromkeys(module.Figures.__dataclass_fields__, 10) | {"failed": 0}
    flat = module.Figures(**facts)
    assert module.grown([flat, flat, flat]) == []
    leaking = module.Figures(**{**facts, "open_files": 40, "threads": 30})
    assert module.grown([flat, flat, leaking]) == [
        "threads: 10 after the second day, 30 at the end",
        "open_files: 10 after the second day, 40 at the end",
    ]


@pytest.mark.many
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zone of a process")
def test_in_two_short_days_with_a_night_nothing_grows(tmp_path: Path) -> None:
    module = week()
    found = module.run(tmp_path, devices=4, days=2, step=1_800, hours=0.5, serves=False)
    assert module.grown(found) == []
    assert [figures.runs >= 2 for figures in found] == [True, True]
    assert found[-1].open_files <= found[0].open_files + 2
