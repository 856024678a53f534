"""Passes over the tenant: which tables are due, what came, what is gone, and one manifest at the end."""
