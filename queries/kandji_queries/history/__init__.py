"""The past: which rows changed when, and tables as they were."""
