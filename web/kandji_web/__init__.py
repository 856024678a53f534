"""The mirror as pages: what people look at in a browser, and the report they mail.

``site`` makes the application that ``serve`` answers with beside MCP, ``report`` the one self-contained file. Both draw
the pictures of :mod:`kandji_queries.charts`. The names below are imported when they are asked for.
"""

from typing import TYPE_CHECKING

from kandji_schema.lazy import lazy_names

if TYPE_CHECKING:
    from kandji_web.site import make_site

__all__ = ["make_site"]

__getattr__, __dir__ = lazy_names(__name__, {"make_site": "kandji_web.site"})
