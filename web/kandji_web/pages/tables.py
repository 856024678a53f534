"""``/tables``: every table and view by group, with rows, age, state and what it is."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kandji_queries.browse.groups import groups
from kandji_queries.describe import past_functions, table_infos
from kandji_queries.reader import Reader
from kandji_queries.relations import AS_OF, BETWEEN, BY_THING
from kandji_web.asking import ask
from kandji_web.rendering import page


async def tables(request: Request) -> Response:
    """List what there is; where nothing is mirrored yet, as it is defined."""
    infos, functions = await ask(request, lambda reader: (table_infos(reader), _functions(reader)))
    return page(
        request,
        "tables.html",
        title="Tables",
        groups=[*groups(infos)],
        functions=functions,
        tables=sum(info.kind == "table" for info in infos),
        views=sum(info.kind == "view" for info in infos),
        between=BETWEEN,
        by_thing=BY_THING,
        as_of=AS_OF,
    )


def _functions(reader: Reader) -> dict[str, str]:
    """Return the function of the past of each table that has one."""
    return {table: function for function, table in past_functions(reader).items()}


ROUTES = [Route("/tables", tables)]
