"""What Claude Desktop starts: the MCP server of kandji-mirror, with what the person filled in as its environment."""

import os

# An optional field that was left empty comes as nothing, or as the name of its place: neither is meant.
for name in [name for name in os.environ if name.startswith("KANDJI_")]:
    if not os.environ[name].strip() or os.environ[name].startswith("${user_config."):
        del os.environ[name]

from kandji_mcp_server.main import serve_over_stdio  # noqa: E402  # after the environment is as it was meant

if __name__ == "__main__":
    serve_over_stdio()
