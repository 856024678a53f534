"""Statements while they are typed: where one ends, and what may come next."""
