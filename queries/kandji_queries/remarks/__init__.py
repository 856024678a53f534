"""Remarks: what whoever wrote a statement may not have thought of, told once its answer is known.

Each module knows one kind: values that no row has, NULL behind NOT IN, versions compared as texts, a past that begins
later than what is asked, devices that are removed or missing. A remark is true of this answer or is not made; what has
to be looked up for it is asked as other statements, through the guard, within a second in all.
"""
