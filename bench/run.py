"""All benchmarks. Every figure is a ratio to a limit measured in the same run, because machines differ.

make bench                          10,000 devices with 150 apps each, a few minutes
python bench/run.py --devices 1000  quicker
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import ad_hoc_sql
import browsing
import changes
import cold_start
import export
import first_sync
import history
import ingest
import mcp_server
import pages
import publishing
import report
from figures import Figure

MEASURES: tuple[Callable[[Path, int, int], list[Figure]], ...] = (
    ingest.measure,
    cold_start.measure,
    ad_hoc_sql.measure,
    browsing.measure,
    first_sync.measure,
    publishing.measure,
    history.measure,
    changes.measure,
    export.measure,
    report.measure,
    mcp_server.measure,
    pages.measure,
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--devices", type=int, default=10_000)
    options.add_argument("--apps", type=int, default=150, help="apps on a device, about")
    chosen = options.parse_args()
    print(f"{'measure':<44} {'ours':>14} {'limit':>14} {'ratio':>7}  target")
    for measure in MEASURES:
        with tempfile.TemporaryDirectory() as folder:
            for figure in measure(Path(folder), chosen.devices, chosen.apps):
                print(figure, flush=True)


if __name__ == "__main__":
    main()
