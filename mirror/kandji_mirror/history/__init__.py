"""What changed between two data files of a table, kept in immutable segments; see :mod:`kandji_schema.history`."""
