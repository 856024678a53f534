"""From the provider's API to published data files: client, ingest, store, sync, and the command line."""
