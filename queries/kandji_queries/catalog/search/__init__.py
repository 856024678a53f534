"""Search: words in, whatever they mean out, best first: columns, tables, named queries, and things in the data."""

from kandji_queries.catalog.search.answer import USUAL, Found, kinds, search

__all__ = ["USUAL", "Found", "kinds", "search"]
