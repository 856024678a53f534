"""Lineage: which of the tables that a statement names its answer really depends on.

A view names more tables than most statements need: the serial numbers of ``fleet`` come from ``devices`` alone, and the
tables that are joined to it one row a device can change neither values nor number of the rows. What is said of an
answer's age, and what ``--max-age`` and ``--strict`` ask, is about the tables it depends on.

It is read off DuckDB's own syntax tree, which the guard has made already. When in doubt a table counts as used.
(Measured: half a millisecond a statement. The engine's plan would tell the same, but leaves out tables by what is in
them, an empty one for example, and takes a second engine of empty tables, 25 ms, to be asked without that.)
"""
