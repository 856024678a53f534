"""Page texts in, one checked and ordered data file out. No row passes through Python."""
