"""The third layer of defence: processes of their own for statements of anyone's.

No setting inside a process bounds one call of one function (SQL can ask for 8 GB, or for minutes, in ten words), so
such statements run in children that have no environment, no token and hard limits, and that are killed when they do not
stop. ``pool`` is what callers ask, ``process`` the parent's end of one child, ``child`` what runs in it,
``messages`` what is said between them.
"""
