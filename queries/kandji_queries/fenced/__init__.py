"""The third fence: statements of strangers run in a child process that can be killed.

No setting inside a process bounds one call on one value: ``len(range(1e9))`` takes eight gigabytes and eighteen seconds
whatever the engine's limits are. A child with an empty environment, hard limits and a deadline does bound it, for about
half a millisecond a statement.
"""
