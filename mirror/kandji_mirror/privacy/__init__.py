"""Keyed pseudonyms in place of personal data: decided by which file is opened, never by rewriting answers."""
