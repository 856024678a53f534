"""What the mirror is made of: tables, settings, errors and the manifest. Imports nothing of the other packages.

Import the module you need (``kandji_schema.errors``, ``kandji_schema.manifest``, ...); this package imports none of
them by itself, because the table classes pull in SQLModel (a quarter of a second) and a SQL query must not pay for it.
"""
