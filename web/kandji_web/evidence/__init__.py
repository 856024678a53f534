"""Evidence as a page: one file without a script, for an auditor to read, print and keep beside the files of numbers."""
