"""A new action is one record: command line, help, MCP tool, request and reference page are derived from it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOTS = ("schema", "mirror", "queries", "mcp_server", "cli", "simulator")

RECORD = '''
"""Cellular plans."""

from kandji_schema.actions.arguments import Argument
from kandji_schema.actions.record import MOBILE, Action

REFRESH = Action(
    name="refreshcellularplans",
    title="Refresh cellular plans",
    tool="refresh_cellular_plans",
    path="/api/v1/devices/{device_id}/action/refreshcellularplans",
    arguments=(Argument(name="server_url", key="eSIMServerURL", required=True, description="Carrier's server."),),
    platforms=MOBILE,
    consequences=("The device asks its carrier for new plans.",),
    commands=("RefreshCellularPlans",),
    permission="Refresh cellular plans",
)
'''

USE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import json
from action_tenant import PHONE, ActionTenant, desk_at, done
from click.testing import CliRunner
from kandji_mcp_server.live.tools import live_tools
from kandji_cli.app import app
from kandji_schema.settings import Settings
tenant = ActionTenant()
result = done(desk_at(Path(sys.argv[1]), tenant), "refreshcellularplans", PHONE, server_url="https://esim.example")
assert result.error is None
assert json.loads(tenant.sent[0].body) == {"eSIMServerURL": "https://esim.example"}
help = CliRunner().invoke(app, ["action", "refreshcellularplans", "--help"]).output
assert "server_url" in help and "new plans" in help
assert "refresh_cellular_plans" in [s.function.__name__ for s in live_tools(Settings(mirror_actions="on"))]
"""


def test_one_record_makes_an_action(tmp_path: Path) -> None:
    for folder in (*ROOTS, "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "schema/kandji_schema/actions/cellular.py").write_text(RECORD)
    path = os.pathsep.join(str(tmp_path / folder) for folder in ROOTS)
    environment = {**os.environ, "PYTHONPATH": path}
    home = tmp_path / "home"
    home.mkdir()
    arguments = [sys.executable, "-c", USE, str(home), str(ROOT / "tests")]
    used = subprocess.run(arguments, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert used.returncode == 0, used.stderr
    subprocess.run([sys.executable, "docs/generate.py"], env=environment, cwd=tmp_path, capture_output=True, check=True)
    assert "`eSIMServerURL`" in (tmp_path / "docs/actions.md").read_text()
