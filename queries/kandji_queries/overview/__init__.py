"""The fleet in numbers: how it stands, what lists the devices behind each number, and how it stood before."""

from kandji_queries.overview.compared import ComparedLine, ComparedSection, Then, compare_fleet
from kandji_queries.overview.overview import Behind, Line, Overview, Section, read_overview

__all__ = [
    "Behind",
    "ComparedLine",
    "ComparedSection",
    "Line",
    "Overview",
    "Section",
    "Then",
    "compare_fleet",
    "read_overview",
]
