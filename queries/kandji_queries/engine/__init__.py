"""The locked DuckDB that statements run on: which state of the mirror it has open, and what one statement may cost."""
