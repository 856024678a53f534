"""The fleet in numbers: how it stands, and what lists the devices behind each number."""

from kandji_queries.overview.overview import Behind, Line, Overview, Section, read_overview

__all__ = ["Behind", "Line", "Overview", "Section", "read_overview"]
