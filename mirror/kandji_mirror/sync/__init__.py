"""The sync: from a request to published files.

The way of one pass, in the order of the modules:

1. ``request``: which tables are due, and the request that says so; ``planner`` spaces the background's requests out.
2. ``run`` opens store, state and engine, and starts a ``table_run`` over whole tables or a ``device_run`` over devices.
3. ``context``: what the run, and a pass over one table, know: one frozen record, handed from here to the end.
4. ``strategy`` chooses the method from what the table is and the server honours; ``dispatch`` calls it.
5. Lists: ``full_load`` by ``list_walk``, ``append_only``; devices one by one: ``per_device`` (``swept_table``,
   ``device_reader``); some devices: ``device_refresh``.
6. Prism: ``incremental`` reads changes by ``cursor_window`` and ``filtered_pages`` and has them fit the
   count in ``reconcile``; ``prism_full_load`` judges what ``prism_extract`` reads.
7. ``extract_stats`` says what came and how it differs from the declaration.
8. ``deletion_check``: no row goes because it did not come once; what it finds is the proof that
9. ``completeness`` asks of every finished file, which ``data_file`` writes.
10. ``publish``: history, then one manifest, then what the writer remembers. ``devices`` tells who is listed throughout.
"""
