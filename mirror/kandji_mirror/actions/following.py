"""What became of actions that were recorded: asked of the tenant, and recorded in turn."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kandji_mirror.actions.evidence import Found, Sought, look
from kandji_mirror.actions.journal import Journal
from kandji_mirror.api.client import Client
from kandji_mirror.audit.log import Attempt
from kandji_schema.actions import actions
from kandji_schema.actions.record import Action
from kandji_schema.audit import NEVER_HAPPENED, Outcome


def follow(client: Client, journal: Journal, attempt: Attempt) -> Found | None:
    """What the tenant shows of an attempt; None where nothing came of it, or something was only read."""
    intent = attempt.intent
    action = actions().get(str(intent["action"])) if intent else None
    if intent is None or action is None or action.method == "GET" or attempt.outcome in NEVER_HAPPENED:
        return None
    since = None if attempt.outcome == Outcome.PENDING else datetime.fromisoformat(str(intent["sent_at"]))
    found = look(client, Sought(action, str(intent["device_id"]), since, _body(action, intent)))
    journal.looked(intent, found)
    return found


def _body(action: Action, intent: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of a recorded request, as far as it was kept."""
    try:
        values = json.loads(intent["arguments"] or "{}")
    except ValueError:
        return {}
    return {key: value for key, value in (action.body(values) or {}).items() if value != "***"}
