"""The reading side: guarded SQL, named queries and the data dictionary over the mirror's files.

Start with :class:`kandji_queries.reader.Reader`. Nothing here imports SQLModel, pydantic or an HTTP client: a query on
the command line must start in little more than the time DuckDB itself needs.
"""
