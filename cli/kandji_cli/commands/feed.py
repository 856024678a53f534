"""``feed``: its arguments; it imports its work when it runs."""

from pathlib import Path

import click

from kandji_cli.options import document_option, format_option
from kandji_schema.feeds import FEEDS


@click.group()
def feed() -> None:
    """Releases of macOS and iOS, and known exploited vulnerabilities, out of public feeds.

    They become tables beside those of the tenant. All are off until KANDJI_MIRROR_FEEDS names them; nothing of the
    tenant is ever sent.

    Example: kandji-mirror feed list

    Example: kandji-mirror feed update
    """


@feed.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice(tuple(FEEDS)))
@document_option
def update(names: tuple[str, ...], form: str) -> None:
    """Ask for the feeds that KANDJI_MIRROR_FEEDS names now, or for the named ones of them.

    One request a document, which says what version is here already; nothing of the tenant is sent. What does not come,
    or is no whole document, keeps its rows. `sync` without a table and `serve` read feeds that are due by themselves.

    Example: kandji-mirror feed update sofa

    Example: KANDJI_MIRROR_FEEDS=sofa,kev kandji-mirror feed update
    """
    from kandji_cli.feeds import update_now

    update_now(names, as_json=form == "json")


@feed.command("list")
@format_option
def list_feeds(form: str) -> None:
    """List every document of the feeds: whether it is on, how old its rows are, and where they come from.

    Example: kandji-mirror feed list

    Example: kandji-mirror feed list --json
    """
    from kandji_cli.feeds import show_feeds

    show_feeds(form)


@feed.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--feed", "name", type=click.Choice(tuple(FEEDS)), help="Which feed they are of, instead of a look.")
@click.option("--accept-fewer", is_flag=True, help="Take a document that has far fewer rows than the one before.")
@document_option
def load(files: tuple[Path, ...], name: str | None, accept_fewer: bool, form: str) -> None:
    """Read documents of feeds from files, for networks without a way out.

    A document of SOFA (macOS or iOS, version 2) or CISA's KEV catalogue is recognised by what is in it. Its rows are as
    old as it says that it is. Nothing is sent, and KANDJI_MIRROR_FEEDS need not name the feed.

    Example: kandji-mirror feed load macos_data_feed.json ios_data_feed.json

    Example: kandji-mirror feed load catalogue.json --feed kev
    """
    from kandji_cli.feeds import load_documents

    load_documents(files, name, accept_fewer=accept_fewer, as_json=form == "json")
