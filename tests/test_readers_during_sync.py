"""Readers that never stop asking while another process syncs see no error and no mixture of two states."""

import subprocess
import sys
from pathlib import Path

import pytest

from kandji_queries.reader import Reader

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from support import make_tenant, run_sync
tenant = make_tenant(50)
for _ in range(6):
    run_sync(Path(sys.argv[1]), tenant, "devices", "prism_device_information", "apps", everything=True)
    print("published", flush=True)
    tenant.world.advance(6)
"""

STRANGERS = """
    SELECT (SELECT count(*) FROM prism_device_information ANTI JOIN devices USING (device_id)) AS unknown_devices,
           (SELECT count(*) FROM apps ANTI JOIN prism_device_information USING (device_id)) AS unknown_apps,
           (SELECT max(synced_at) FROM freshness) AS newest
"""


@pytest.mark.heavy
def test_a_reader_sees_one_state_or_the_next_and_never_both(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer, Reader(tmp_path) as reader:
        assert writer.stdout
        writer.stdout.readline()
        seen = []
        while writer.poll() is None:
            (row,) = reader.run(STRANGERS).rows
            seen.append(row)
        writer.stdout.read()
    assert writer.returncode == 0
    assert {row[:2] for row in seen} == {(0, 0)}
    assert len({row[2] for row in seen}) >= 4
    assert reader.warnings == []
