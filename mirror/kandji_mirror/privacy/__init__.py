"""Pseudonyms in place of personal data: their key, the SQL that makes them, and the files that hold them."""
