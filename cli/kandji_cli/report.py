"""``kandji-mirror report``: the fleet as one page. Its path on stdout, what has to be known of it on stderr."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from kandji_cli.home_to_read import settings_to_read
from kandji_cli.output import say, say_document, say_page, tell
from kandji_cli.reads import open_reader, required
from kandji_mirror.api.usage import tenant_remaining, usage
from kandji_queries.charts import drawing
from kandji_schema.errors import UsageError
from kandji_schema.installation import mirror_version
from kandji_schema.manifest import newest_whole
from kandji_schema.settings import Settings
from kandji_schema.text import counted, size
from kandji_web.report.contents import About, Report, Wanted
from kandji_web.report.file import checked, write_report
from kandji_web.report.nameless import Nameless
from kandji_web.report.paper import browser, pdf_of
from kandji_web.report.reading import read_report
from kandji_web.report.writing import html

STDOUT = "-"


def write(
    to: str,
    sections: Sequence[str],
    since: str | None,
    blueprint: str | None,
    anonymous: bool,
    pdf: bool,
    force: bool,
    as_json: bool,
    max_age: str | None,
    strict: bool,
) -> None:
    """Write a report of the configured mirror."""
    settings = settings_to_read(told=True)
    path = None if to == STDOUT else checked(to, settings.home, force=force, pdf=pdf)
    _refuse_nonsense(path, pdf=pdf, as_json=as_json)
    wanted = Wanted(sections=sections, since=since, blueprint=blueprint, anonymous=anonymous)
    if drawing.available():
        drawing.get_ready()  # before the reader bounds what this process may map
    with open_reader(required(max_age=max_age, strict=strict), lazy=False, bounded=not pdf) as reader:
        about = About(tenant=newest_whole(settings.home)[0].tenant, version=mirror_version(), budget=_budget(settings))
        report = read_report(reader, wanted, about, masked=settings.privacy.masks_people)
        report = Nameless.of(reader).report(report) if anonymous else report
    page = html(report)
    if path is None:
        say_page(page)
        _tell(report)
        return
    written = write_report(report, page, path, pdf_of(page) if pdf else None)
    if as_json:
        say_document({**asdict(written), "as_of": dict(report.as_of), "notes": list(report.notes)})
        return
    for file in written.files:
        say(str(file))
    _tell(report)
    pictures = sum(len(section.pictures) for section in report.sections)
    tell(f"{counted(pictures, 'picture')} in {counted(len(report.sections), 'section')}, {size(written.bytes)}.")


def _refuse_nonsense(path: Path | None, *, pdf: bool, as_json: bool) -> None:
    """:class:`UsageError` for what does not go together, and for a PDF where nothing can print one."""
    if path is None and (pdf or as_json):
        raise UsageError(f"--to - is the page itself: {'--pdf' if pdf else '--json'} goes with a file.")
    if pdf:
        browser()


def _tell(report: Report) -> None:
    for note in report.notes:
        tell(note)
    if report.dated:
        tell(report.dated)


def _budget(settings: Settings) -> str:
    """Say what the budget of requests was used for, as far as that is known."""
    spent, left = usage(settings.home, datetime.now(UTC)), tenant_remaining(settings.home)
    used = f"{counted(spent.requests, 'request')} were sent" if spent else "No request was counted"
    told = f"{used} in the last hour, of {settings.mirror_requests_per_hour:,} that this mirror may send"
    return f"{told}; the tenant had {left:,} left when it was last asked." if left is not None else f"{told}."
