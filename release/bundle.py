"""The bundle for Claude Desktop (``.mcpb``): the wheel and what starts it; the program brings Python and uv itself.

python release/bundle.py WHEEL FOLDER

The type ``uv`` is the one that works on a Mac without Python, and for both processors: what the wheel needs is
installed at the first start, in the versions of ``constraints.txt``. Packed by its own packer, from npm.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from running import ROOT, Failed, run

PACKER = "@anthropic-ai/mcpb@2.1.2"

WITHOUT_INTEL_MACS = ("cryptography",)
"""What has no wheels for Macs with Intel processors in its pinned version: there the newest that has one is taken."""

_ELSEWHERE = " ; sys_platform != 'darwin' or platform_machine != 'x86_64'"

_PROJECT = """\
[project]
name = "kandji-mirror-bundle"
version = "{version}"
requires-python = ">=3.11"
dependencies = ["kandji-mirror[charts,socks]"]

[tool.uv]
package = false
no-build = true
constraint-dependencies = [
{constraints}
]

[tool.uv.sources]
kandji-mirror = {{ path = "{wheel}" }}
"""


def lay_out(wheel: Path, folder: Path, root: Path = ROOT) -> Path:
    """Put into a folder what is packed: manifest, start, project and wheel; all but the wheel of the tree ``root``."""
    folder.mkdir(parents=True)
    sources = root / "release" / "mcpb"
    manifest = json.loads((sources / "manifest.json").read_text(encoding="utf-8"))
    if f"-{manifest['version']}-" not in wheel.name:
        raise Failed(f"{wheel.name} is not of version {manifest['version']}, which the bundle's manifest names.")
    for file in (sources / "manifest.json", sources / "server.py", root / "LICENSE", wheel):
        shutil.copyfile(file, folder / file.name)
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    constraints = "\n".join(f'    "{line}{_where(line)}",' for line in pinned)
    project = _PROJECT.format(version=manifest["version"], constraints=constraints, wheel=wheel.name)
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    return folder


def _where(line: str) -> str:
    return _ELSEWHERE if line.partition("==")[0] in WITHOUT_INTEL_MACS else ""


def pack(wheel: Path, out: Path, root: Path = ROOT) -> Path:
    """Return the bundle, made in ``out`` by its packer, which has looked at the manifest before."""
    if shutil.which("npx") is None:
        raise Failed("The packer of bundles comes from npm: install Node.js 18 or newer, which brings npx.")
    packer = ("npx", "--yes", PACKER)
    version = wheel.name.split("-")[1]
    made = out.resolve() / f"kandji-mirror-{version}.mcpb"
    with tempfile.TemporaryDirectory() as folder:
        laid = lay_out(wheel, Path(folder) / "bundle", root)
        run(*packer, "validate", laid / "manifest.json")
        run(*packer, "pack", laid, made)
    return made


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        print(pack(Path(sys.argv[1]), Path(sys.argv[2])))
    except Failed as error:
        sys.exit(f"bundle: {error}")
