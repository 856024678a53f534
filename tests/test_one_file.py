"""A new table is one file, and so is a new query: everything else is derived."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOTS = ("schema", "mirror", "queries", "mcp_server", "cli", "simulator")

NEW_TABLE = '''
"""Battery."""

from datetime import timedelta
from typing import Any

from kandji_schema.columns import extra, integer, text
from kandji_schema.prism import MAC, PrismRow, category


class PrismBattery(PrismRow, table=True):
    """One row per Mac: its battery."""

    __tablename__ = "prism_battery"

    cycles: int | None = integer("Charge cycles.", samples=(3, 250, 900))
    condition: str | None = text("Condition as reported.", samples=("Normal", "Service"))
    extra: Any = extra()


PRISM_BATTERY = category(PrismBattery, "battery", ttl=timedelta(hours=1), platforms=MAC)
'''

NEW_QUERY = """
-- title: Worn batteries
-- description: Macs whose battery has seen many cycles.
-- param: cycles int = 500 | Cycles from which a battery counts as worn.
SELECT device_id, cycles FROM prism_battery WHERE cycles >= $cycles ORDER BY device_id;
"""

USE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support import differing, make_tenant, mirrored, run_sync
from kandji_queries.reader import Reader
home = Path(sys.argv[1])
tenant = make_tenant(40)
assert run_sync(home, tenant).failed == ()
assert differing(home, tenant.world) == []
assert len(mirrored(home, "prism_battery")) > 20
with Reader(home) as reader:
    worn = reader.query("worn_batteries", {"cycles": 900})
    assert worn.row_count == reader.run("SELECT * FROM prism_battery WHERE cycles = 900").row_count > 0
    assert [c.description for c in reader.describe("prism_battery").columns if c.name == "cycles"] == ["Charge cycles."]
"""


def test_one_file_makes_a_table_and_one_file_a_query(tmp_path: Path) -> None:
    for folder in ROOTS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "schema/kandji_schema/tables/prism_battery.py").write_text(NEW_TABLE)
    (tmp_path / "queries/kandji_queries/sql/worn_batteries.sql").write_text(NEW_QUERY.lstrip())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(tmp_path / folder) for folder in ROOTS)}
    for arguments in (["-c", USE, str(tmp_path / "home"), str(Path(__file__).parent)], ["docs/generate.py"]):
        command = [sys.executable, *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "| cycles | BIGINT |  | Charge cycles. |" in (tmp_path / "docs/data-dictionary.md").read_text()
    assert "## worn_batteries" in (tmp_path / "docs/queries.md").read_text()
