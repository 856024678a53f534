"""Syncing in the background: by time to live, within the budget, in whichever process holds the writer's lock."""
