"""The list of pictures that the report and the overview page show."""

from pathlib import Path

import pytest
from agent_fleet import agent_fleet

from kandji_queries.catalog.queries import named
from kandji_queries.overview import read_overview
from kandji_queries.reader import Reader
from kandji_schema.errors import UnknownName
from kandji_web.report.sections import KEY_NUMBERS, SECTIONS, chosen


def test_every_picture_is_a_named_query_with_parameters_that_it_takes() -> None:
    for section in SECTIONS:
        for shown in section.pictures:
            named(shown.query).bind(shown.params)


def test_names_of_sections_differ() -> None:
    assert len({section.name for section in SECTIONS}) == len(SECTIONS)


def test_key_numbers_are_of_the_overview(tmp_path: Path) -> None:
    agent_fleet(tmp_path)
    with Reader(tmp_path) as reader:
        told = {(section.name, line.fact) for section in read_overview(reader).sections for line in section.lines}
    assert {(number.section, number.fact) for number in KEY_NUMBERS} <= told


def test_sections_are_chosen_by_name_in_any_case_and_shown_in_their_order() -> None:
    assert [section.name for section in chosen(["Compliance", " fleet"])] == ["fleet", "compliance"]
    assert chosen([]) == SECTIONS


def test_an_unknown_section_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="compliance"):
        chosen(["complience"])
