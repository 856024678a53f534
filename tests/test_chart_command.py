"""``query NAME --chart``: an answer as a picture, in the terminal and in files."""

import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest
from commands import run
from reads_home import device, publish

from kandji_queries.charts.picture import read_picture
from kandji_queries.reader import Reader

NAMES = ("Caf\u00e9 <b>", "'quoted\"", "\u202egnirts")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    numbers = iter(range(100))
    blueprints = [{"id": f"b{n}", "name": name} for n, name in enumerate(NAMES)]
    devices = [
        device(next(numbers), platform=platform, blueprint_id=f"b{count % 3}", blueprint_name=NAMES[count % 3])
        for platform, several in (("Mac", 12), ("iPad", 3), (None, 2))
        for count in range(several)
    ]
    publish(folder, {"devices": devices, "blueprints": blueprints})
    return folder


@pytest.mark.slow
def test_the_terminal_shows_bars_that_fit_and_the_date_beside_them(home: Path) -> None:
    done = run(home, "query", "devices_by_platform", "--chart", "-")
    assert done.returncode == 0
    title, said, empty, *bars = done.stdout.splitlines()
    assert (title, empty) == ("Devices by platform", "")
    assert "17 devices" in said
    assert [bar.split()[0] for bar in bars] == ["Mac", "iPad", "unknown"]
    assert [int(bar.split()[-1]) for bar in bars] == [12, 3, 2]
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert bars[2].count("\u2591") > 5, "what is unknown looks different"
    assert "As of 2026-" in done.stderr


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["devices_by", "--chart", "out.txt"], 2, "ends in .svg, .png or .pdf, or - for"),
        (["devices_by", "--chart", "svg"], 2, "ends in .svg"),
        (["devices_by", "--chart", "no/such/folder.svg"], 2, "There is no folder"),
        (["devices_by", "--chart", "s3://bucket/x.svg"], 2, "is an address"),
        (["devices_by", "--chart", "-", "--format", "csv"], 2, "leave one of them out"),
        (["devices_by", "--chart", "-", "--columns", "value"], 2, "leave one of them out"),
        (["find_device", "-p", "device=x", "--chart", "-"], 2, "These have one: "),
        (["devices_bye", "--chart", "-"], 2, "Did you mean devices_by"),
    ],
)
def test_what_cannot_be_drawn_is_told_before_anything_runs(
    tmp_path: Path, asked: list[str], code: int, said: str
) -> None:
    done = run(tmp_path, "query", *asked)
    assert (done.returncode, done.stdout, said in done.stderr) == (code, "", True)


@pytest.mark.heavy
def test_a_chart_of_ones_own_query_names_its_file_and_line(home: Path) -> None:
    folder = home / "queries"
    folder.mkdir()
    header = "-- title: Mine\n-- description: Of my own.\n"
    body = "SELECT blueprint_name, count(*) AS n FROM devices GROUP BY ALL ORDER BY ALL"
    for name, lines in (
        ("good", "-- chart: bar x=blueprint_name y=n\n-- says: {sum n|device|devices}.\n"),
        ("lacks", "-- chart: bar x=blueprint_name y=m\n"),
        ("says", "-- chart: bar x=blueprint_name y=n\n-- says: {sum m}\n"),
        ("pie", "-- chart: pie x=blueprint_name y=n\n"),
    ):
        (folder / f"{name}.sql").write_text(f"{header}{lines}{body}", encoding="utf-8")
    shown = (Path(__file__).parents[1] / "docs" / "pictures.md").read_text().split("```sql\n")[1].split("```")[0]
    (folder / "shown.sql").write_text(shown)
    assert "FROM devices" in shown
    assert "17 devices in 3 blueprints; most are in" in run(home, "query", "shown", "--chart", "-").stdout
    drawn = run(home, "query", "good", "--chart", "-")
    assert (drawn.returncode, "17 devices." in drawn.stdout, "\\u202egnirts" in drawn.stdout) == (0, True, True)
    for name, said in (
        ("lacks", "lacks.sql, line 3: `chart` names 'm', which its answer has not: blueprint_name, n."),
        ("says", "says.sql, line 4: `says` names 'm', which its answer has not: blueprint_name, n."),
        ("pie", "pie.sql, line 3: a chart is bar, stacked, line, heat, not 'pie'"),
    ):
        for asked in ([name, "--chart", "-"], ["--check", str(folder / f"{name}.sql")]):
            done = run(home, "query", *asked)
            assert (done.returncode, done.stdout, said in done.stderr) == (3, "", True), (asked, done.stderr)
    assert run(home, "query", "lacks").returncode == 0, "its rows are answered"


@pytest.mark.slow
def test_a_picture_is_read_with_all_that_is_shown_of_it(home: Path) -> None:
    with Reader(home) as reader:
        found = read_picture(reader, "devices_by", {"attribute": "platform", "with_removed": False})
        assert found.chart is not None
        assert found.chart.rows is found.rows
        assert (found.title, found.sentence) == (found.chart.title, found.chart.sentence)
        assert found.params["attribute"] == "platform"
        assert found.params["with_removed"] is False
        assert found.chart.dated.startswith("As of 2026-")
        bound = {name: found.params[name] for name in ("attribute", "platform")}
        assert reader.run(found.sql, bound).rows == found.rows
        assert read_picture(reader, "find_device", {"device": "nothing"}).chart is None
        nothing = read_picture(reader, "ade_tokens")
        assert nothing.sentence.startswith("Nothing to show: ")
        assert "ade_integrations: never synced" in nothing.sentence


@pytest.mark.heavy
def test_a_file_has_the_numbers_of_the_rows_and_is_ones_own(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.svg"
    target.write_text("older")
    done = run(home, "query", "devices_by", "-p", "attribute=blueprint", "--chart", str(target))
    assert (done.returncode, done.stdout) == (0, f"{target}: {target.stat().st_size:,} bytes.\n")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["out.svg"]
    texts = list(ElementTree.fromstring(target.read_text()).itertext())  # noqa: S314  # our own
    with Reader(home) as reader:
        rows = reader.query("devices_by", {"attribute": "blueprint"}).rows
        assert {str(row[1]) for row in rows} <= set(texts)
    assert {"Caf\u00e9 <b>", "\\u202egnirts"} <= set(texts)
    assert any(text.startswith("As of 2026-") for text in texts)


@pytest.mark.heavy
def test_a_folder_that_cannot_be_written_is_told(home: Path) -> None:
    done = run(home, "query", "devices_by", "--chart", "/proc/out.svg")
    assert (done.returncode, done.stdout) == (8, "")
    assert "could not be written" in done.stderr
