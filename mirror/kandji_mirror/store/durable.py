"""Writing of the store's files, see :mod:`kandji_schema.durable`."""

from kandji_schema.durable import appear, sync_file, sync_folder, write_new

__all__ = ["appear", "sync_file", "sync_folder", "write_new"]
