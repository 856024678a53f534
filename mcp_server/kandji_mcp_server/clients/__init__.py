"""AI clients: where each keeps its MCP servers and how it writes one down (``records``, one record a client).

``entries`` makes the entry of this installation, ``merging`` puts it among the others, ``files`` writes the file.
"""
