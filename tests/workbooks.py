"""A workbook as its own standard (ECMA-376) says, read without the library that wrote it."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def part(file: Path, name: str) -> ElementTree.Element:
    """One document of the file."""
    with ZipFile(file) as book:
        return ElementTree.fromstring(book.read(name))  # noqa: S314  # our own file


def sheets(file: Path) -> list[str]:
    """The names of the sheets."""
    return [found.attrib["name"] for found in part(file, "xl/workbook.xml").iter(f"{_MAIN}sheet")]


def sheet(file: Path, number: int = 1) -> list[list[Any]]:
    """The cells of a sheet: texts, numbers, truth values, None; a cell with a formula fails."""
    rows = []
    for row in part(file, f"xl/worksheets/sheet{number}.xml").iter(f"{_MAIN}row"):
        cells: dict[int, Any] = {_place(cell.attrib["r"]): _value(cell) for cell in row}
        rows.append([cells.get(place) for place in range(max(cells, default=-1) + 1)])
    return rows


def _place(reference: str) -> int:
    place = 0
    for letter in re.sub(r"[0-9]", "", reference):
        place = place * 26 + ord(letter) - 64
    return place - 1


def _value(cell: ElementTree.Element) -> Any:
    assert cell.find(f"{_MAIN}f") is None
    if cell.attrib.get("t") == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{_MAIN}t"))
    value = cell.find(f"{_MAIN}v")
    if value is None or value.text is None:
        return None
    return value.text == "1" if cell.attrib.get("t") == "b" else float(value.text)
