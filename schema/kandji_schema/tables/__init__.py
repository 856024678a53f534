"""One file a table. Nothing is listed here: the registry finds what lies in this folder."""
