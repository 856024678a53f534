"""``python -m kandji_mcp_server``: as ``kandji-mirror-mcp``, where scripts are not installed."""

from kandji_mcp_server.main import main

main()
