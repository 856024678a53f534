"""Live actions for AI clients: one tool a record, there only where actions are switched on."""

from enum import Enum


class ConfirmAt(Enum):
    """Where a human is asked about a live action.

    ``CLIENT``: by a question in the client, which that human runs. ``TERMINAL``: elsewhere, at a terminal: over a
    network an answer to a question proves no human, as it comes from whoever asked for the action.
    """

    CLIENT = "client"
    TERMINAL = "terminal"
