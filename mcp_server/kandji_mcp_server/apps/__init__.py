"""Pictures inside AI clients that can show them (MCP Apps): a page of ours, and what it shows of an answer.

The page is static and small and asks for nothing; the chart is drawn here, by the specification that all pictures have,
and travels in the answer's ``_meta``, which no model reads. Clients that cannot show it get what they always got.
"""

from kandji_mcp_server.apps.extension import looks, offered, picture_apps
from kandji_mcp_server.apps.views import chart_view, device_view, with_view

__all__ = ["chart_view", "device_view", "looks", "offered", "picture_apps", "with_view"]
