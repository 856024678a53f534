"""Exports: tables, views and named queries of the mirror as files for other tools.

Start with :func:`kandji_queries.export.export.export`. Rows go from DuckDB to the disk by COPY and never through
Python, in an engine of its own: unlike the one that answers statements it may write files, so nothing but the text
built here runs on it. Statements cannot reach it; an export is asked for by names only.

An export is whole or not there. It is written in a hidden folder inside the target, brought to the disk and then
renamed; ``manifest.json``, which is written last, says what the files hold and how old that is.
"""
