"""The pages, a module each, with its routes; they are listed here, in the order in which they are tried."""

from kandji_web.pages import (
    changes,
    compliance,
    console,
    devices,
    overview,
    queries,
    search,
    status,
    table,
    table_files,
    tables,
)

PAGES = (
    overview.ROUTES,
    compliance.ROUTES,
    console.ROUTES,
    devices.ROUTES,
    tables.ROUTES,
    table_files.ROUTES,
    table.ROUTES,
    changes.ROUTES,
    search.ROUTES,
    queries.ROUTES,
    status.ROUTES,
)
