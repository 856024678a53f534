"""Advice: what was probably meant by a statement that cannot be run, where it can be, the statement that can.

Nothing here runs a statement or decides whether one may run: a proposal is only told after the guard and the engine
took it.
"""
