"""The audit log of live actions: append-only, chained by hashes, on disk before anything is sent."""
