"""Which statements may reach the engine at all: allow-lists over DuckDB's own syntax tree."""
