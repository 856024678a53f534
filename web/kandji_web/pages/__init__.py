"""The pages, a module each, with its routes; they are listed here, in the order in which they are tried."""

from kandji_web.pages import (
    compliance,
    console,
    devices,
    overview,
    queries,
    status,
)

PAGES = (
    overview.ROUTES,
    compliance.ROUTES,
    console.ROUTES,
    devices.ROUTES,
    queries.ROUTES,
    status.ROUTES,
)
