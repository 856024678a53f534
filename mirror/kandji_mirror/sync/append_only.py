"""Lists that only grow, read from their newest end down to what is known. Rows are never deleted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC

from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.api.paging import Page, walk
from kandji_mirror.ingest.file_queries import knows_any, newest
from kandji_mirror.ingest.staging import Staging
from kandji_mirror.sync.context import PassContext
from kandji_mirror.sync.data_file import refuse_keyless, write_merge
from kandji_mirror.sync.extract_stats import ExtractStats, has_more_odd_values, merge_drift, observed_drift
from kandji_mirror.sync.filtered_pages import OVERLAP, parse_moment
from kandji_mirror.sync.strategy import Method
from kandji_schema.errors import NotFound, ServerFault, Suspicious
from kandji_schema.manifest import State, TableState

Enough = Callable[[Page], bool]


def append_only_load(ctx: PassContext) -> TableState:
    """Read down to what is mirrored already, the first time everything, and add it."""
    began, whole = ctx.store.wall(), _reads_all(ctx)
    with ctx.workspace() as (staging, target):
        stats = _walk(ctx, staging)
        refuse_keyless(staging)
        staging.drop_duplicates()
        seen = observed_drift(ctx.resource, staging.leftovers(), stats.odd_rows)
        drift, misread = merge_drift(ctx.previous.drift, seen), has_more_odd_values(seen, ctx.previous.drift)
        state = write_merge(ctx, staging, target)
    return replace(
        state,
        state=State.FAILED if stats.reason else State.OK,
        error=stats.reason,
        note=stats.note,
        method=Method.NEWEST_FIRST.value,
        requests=stats.pages,
        drift=drift,
        attempted_at=began,
        synced_at=state.synced_at if stats.reason else began,
        whole_at=None if misread or (stats.reason and whole) else began if whole else ctx.previous.whole_at,
    )


def _reads_all(ctx: PassContext) -> bool:
    """Return whether to read the whole list: nothing to go on from, or something came last that could not be read."""
    adopted = ctx.previous.method is None  # rows of an earlier version lack columns
    return ctx.current_file is None or ctx.request.whole or adopted or ctx.previous.whole_at is None


def _reaches(ctx: PassContext, above: Sequence[str]) -> Enough:
    """Return the test for a page that reaches what is known.

    Such a page holds a known row and is older than the newest one, and a little more.
    """
    resource, current = ctx.resource, ctx.current_file
    known = newest(ctx.engine, current, resource, above) if current and not _reads_all(ctx) else None
    if current is None or known is None:
        return lambda page: False
    border, source = known.replace(tzinfo=UTC) - OVERLAP, resource.newest_by.sources[0]

    def reached(page: Page) -> bool:
        oldest = min((moment for row in page.rows if (moment := parse_moment(row.get(source)))), default=None)
        keys = [str(row.get(resource.own_key)) for row in page.rows]
        return oldest is not None and oldest < border and knows_any(ctx.engine, current, resource, keys, above)

    return reached


def _walk(ctx: PassContext, staging: Staging) -> ExtractStats:
    """Stage the tenant's list, or that of every parent row: what one cannot tell now, it tells the next time."""
    stats, gone = ExtractStats(), list[str]()
    for above in ctx.parents if ctx.resource.parent else [()]:
        try:
            for page in _pages(ctx, above):
                stats.add_page(page)
                staging.add(page.text, above)
                ctx.progress.advanced(ctx.resource.name, pages=stats.pages, rows=stats.rows, total=None)
        except (NotFound, ServerFault) as error:
            if not above:
                raise
            if isinstance(error, NotFound):
                gone.append(str(error))
            else:
                stats.keep_parent(tuple(above), str(error))
    staging.flush()
    return _with_unanswered(ctx, stats, gone)


def _pages(ctx: PassContext, above: Sequence[str]) -> Iterator[Page]:
    """Yield pages down to what is known."""
    enough = _reaches(ctx, above)
    names = dict(zip(ctx.resource.parent_key, map(quote_segment, above), strict=True))
    for page in walk(ctx.client, ctx.resource, path=ctx.resource.path.format(**names)):
        yield page
        if enough(page):
            return


def _with_unanswered(ctx: PassContext, stats: ExtractStats, gone: Sequence[str]) -> ExtractStats:
    """Return the stats with why parents had no answer: a note where they are ``gone``, a reason where it was broken.

    :class:`Suspicious` where not one parent had any.
    """
    broken, parents = len(stats.kept_parents), len(ctx.parents)
    if parents and broken + len(gone) == parents:
        reason = stats.reason or gone[0]
        raise Suspicious(f"None of the {parents} lists of {ctx.resource.name} could be read: {reason}")
    kept = f"{broken} of {parents} lists could not be read and kept their previous rows: {stats.reason}"
    note = f"{len(gone)} of {parents} lists could not be read now: {gone[0]}" if gone else stats.note
    return replace(stats, reason=kept if broken else stats.reason, note=note)
