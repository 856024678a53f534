"""``export``: files for people, where an answer would be too long; never anywhere but in the export folder."""

import csv
import hashlib
from pathlib import Path

import pytest
from mcp_calls import Era, answer, opened, refusal
from reads_home import device, publish

from kandji_mcp_server.context import ServerContext


def test_files_are_written_below_the_export_folder_and_proven(mirror: ServerContext, era: Era) -> None:
    arguments = {"names": ["devices", "devices_with_app"], "params": {"app": "zoom"}}

    found = answer(mirror, era, "export", **arguments)

    lines = {line[0]: dict(zip(found["columns"], line, strict=True)) for line in found["files"]}
    assert {name: line["rows"] for name, line in lines.items()} == {"devices": 4, "devices_with_app": 1}
    for line in lines.values():
        path = Path(line["file"])
        assert path.is_relative_to(mirror.home / "exports")
        assert hashlib.sha256(path.read_bytes()).hexdigest() == line["sha256"]
        assert len(list(csv.reader(path.read_text().splitlines()))) == line["rows"] + 1
    assert found["age"] == "3 min"
    assert Path(found["folder"]) != Path(answer(mirror, era, "export", **arguments)["folder"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"names": ["../devices"]}, "There is no"),
        ({"names": ["/etc/passwd"]}, "There is no"),
        ({"names": ["device"]}, "Did you mean devices"),
        ({"names": []}, "The argument names is []"),
        ({"names": ["devices"], "to": "/elsewhere"}, "There is no argument 'to'"),
        ({"names": ["devices"], "format": "exe"}, "The argument format is 'exe'"),
        ({"names": ["devices_with_app"]}, "needs the parameter app"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_nothing_is_written(
    mirror: ServerContext, arguments: dict[str, object], words: str
) -> None:
    before = set(mirror.home.rglob("*.csv"))

    assert words in refusal(mirror, "auto", "export", **arguments)

    assert set(mirror.home.rglob("*.csv")) == before


def test_a_folder_of_ones_own_can_be_set(tmp_path: Path) -> None:
    publish(tmp_path / "home", {"devices": [device(1, device_name="=HYPERLINK(1)")]})
    with opened(tmp_path / "home", mirror_export_dir=str(tmp_path / "reports")) as mirror:
        found = answer(mirror, "auto", "export", names=["devices"])

    assert Path(found["folder"]).parent == tmp_path / "reports"
    assert "'=HYPERLINK(1)" in Path(found["files"][0][2]).read_text()
