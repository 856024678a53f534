"""Seen from outside: what `serve` tells those who watch it. Metrics, and whether the process lives and can answer.

``definitions`` are the metrics there are; ``mirror``, ``runs``, ``files`` and ``service`` read their values when
somebody asks; ``exposition`` writes them in Prometheus' text form, and alone knows its client library; ``probes`` look
whether the process goes on and can answer. Who may ask is in ``kandji_mcp_server.http.monitoring``.
"""
