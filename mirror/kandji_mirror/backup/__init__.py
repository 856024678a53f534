"""Backups: one moment of a home in a file or a folder, proved by hashes, and put back only as a whole."""
