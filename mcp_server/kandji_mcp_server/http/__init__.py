"""The server over streamable HTTP: who may connect (``access``, ``bearer``), how it is (``health``), and serving."""
