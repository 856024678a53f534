"""Files to take away: tables and answers as Parquet, CSV, JSON lines, or one ordinary DuckDB file.

The engine writes them itself, at the speed of its COPY; no row passes through Python. It is another engine than the one
that answers strangers: this one may open files, so it runs nothing but our own text and named queries.
"""
