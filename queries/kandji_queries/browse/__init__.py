"""Looking at tables and views row by row: filters, sorting, facets and pages as data, and the statements they mean.

``relation`` says what a table is, ``conditions`` what can be asked of a column, ``view`` reads and writes the address
of a view, ``statements`` and ``facets`` make its SQL, ``browsing`` answers, ``download`` writes the same rows to a
file, ``leads`` tells where a cell leads. Faces show what these return; no address, page or HTML is known here.
"""
