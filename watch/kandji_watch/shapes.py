"""Shapes of webhooks: a document as Slack, Teams, Discord or a program of one's own takes it.

What devices and people are called comes from anywhere, so nothing of it is markup: no link, no mention, no heading.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kandji_watch.texts import Document, headline, lines

COLOURS = {"info": 0x3B82F6, "warning": 0xD97706, "critical": 0xDC2626}
TEAMS_COLOURS = {"info": "Accent", "warning": "Warning", "critical": "Attention"}
DISCORD_TEXT = 4_000
SLACK_HEAD, SLACK_SECTION, SLACK_SECTIONS = 150, 2_900, 10
TEAMS_TEXT, TEAMS_FRAME = 20_000, 90
"""What a service takes of a text: characters, for Teams bytes of a message with 28 KB in all, frames of lines too."""

LINK = "Look: http"
"""How the line with our own page begins, which is a link; all else is text."""

_MARKDOWN = re.compile(r"([\\`*_~\[\]()<>#|!])")


def shaped(kind: str, document: Document, *, repeated: bool) -> dict[str, Any]:
    """Return what is posted to a webhook of that kind; ``repeated``: it may have been told before."""
    return _SHAPES[kind](document, repeated)


def plain_json(document: Document, *, repeated: bool) -> dict[str, Any]:
    """Return the document as programs get it: with the text for eyes."""
    text = "\n".join([headline(document), *lines(document, repeated=repeated)])
    return {**document, "may_have_been_told_before": repeated, "text": text}


def _slack(document: Document, repeated: bool) -> dict[str, Any]:
    """Return blocks of plain text, which Slack takes for no markup; ``text`` is what a notification shows."""
    head, told = headline(document), lines(document, repeated=repeated)
    body = "\n".join(line for line in told if not line.startswith(LINK))
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _slack_text(head[:SLACK_HEAD])}]
    starts = range(0, min(len(body), SLACK_SECTIONS * SLACK_SECTION), SLACK_SECTION)
    blocks += ({"type": "section", "text": _slack_text(body[at : at + SLACK_SECTION])} for at in starts)
    if document["link"]:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{_for_slack(document['link'])}|Look>"}})
    return {"text": _for_slack(head), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}


def _slack_text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "%7C")


def _discord(document: Document, repeated: bool) -> dict[str, Any]:
    told = [line if line.startswith(LINK) else _for_markdown(line) for line in lines(document, repeated=repeated)]
    card = {
        "title": _cut(_for_markdown(headline(document)), 250),
        "description": "\n".join(_until(told, DISCORD_TEXT, frame=1)),
        "color": COLOURS[document["severity"]],
    }
    return {"embeds": [card], "allowed_mentions": {"parse": []}}


def _for_markdown(line: str) -> str:
    dash, text = ("- ", line[2:]) if line.startswith("- ") else ("", line)
    return dash + _MARKDOWN.sub(r"\\\1", text)


def _teams(document: Document, repeated: bool) -> dict[str, Any]:
    """Return a message with an Adaptive Card, as Workflows of Teams takes it; its runs of text are no markup."""
    head = {"weight": "Bolder", "size": "Medium", "color": TEAMS_COLOURS[document["severity"]]}
    told = [line for line in lines(document, repeated=repeated) if not line.startswith(LINK)]
    body = [_teams_text(headline(document), **head), *map(_teams_text, _until(told, TEAMS_TEXT, frame=TEAMS_FRAME))]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }
    if document["link"]:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Look", "url": document["link"]}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def _teams_text(text: str, **looks: str) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text, **looks}
    return {"type": "RichTextBlock", "spacing": "Small", "inlines": [run]}


def _until(told: list[str], most: int, *, frame: int) -> list[str]:
    """Return the first lines that have room, and always the last two: where to look, and whether it was told before.

    ``most`` are bytes in all, ``frame`` those around each line. Where lines are left out there is an ellipsis.
    """
    kept: list[str] = []
    last = told[-2:]
    room = most - sum(len(line.encode()) + frame for line in ["…", *last])
    for line in told[:-2]:
        room -= len(line.encode()) + frame
        if room < 0:
            return [*kept, "…", *last]
        kept.append(line)
    return [*kept, *last]


def _cut(text: str, most: int) -> str:
    return text if len(text.encode()) <= most else f"{text.encode()[: most - 3].decode(errors='ignore')}…"


_SHAPES: Mapping[str, Callable[[Document, bool], dict[str, Any]]] = {
    "slack": _slack,
    "teams": _teams,
    "discord": _discord,
    "webhook": lambda document, repeated: plain_json(document, repeated=repeated),
}
"""How each kind of webhook takes a text."""
