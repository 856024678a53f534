"""What may be asked and who may confirm it: the request that a face makes, and the owner's rules for it.

Rules only: the service applies them and records what they refuse.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kandji_mirror.actions.preview import Preview
from kandji_schema.actions.record import Action, TargetKind
from kandji_schema.errors import ActionsOff, NotConfirmed, UsageError
from kandji_schema.settings import Settings


class ConfirmedBy(StrEnum):
    """How somebody confirmed an action, as the audit log has it."""

    TERMINAL = "terminal"
    FLAG = "flag"
    ELICITATION = "elicitation"
    AGENT = "agent"
    NOBODY = "not needed"


@dataclass(frozen=True, kw_only=True)
class ActionRequest:
    """One live action as a face was asked for it, unchecked.

    ``targets`` are as somebody named them; none for the tenant as a whole. ``confirm`` is what was given as the word
    that it is meant. ``token`` is that of an earlier preview. ``seen_by_person`` is False where the answer goes into a
    file or pipe.
    """

    action: Action
    targets: tuple[str, ...] = ()
    arguments: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    confirm: object = None
    token: str = ""
    seen_by_person: bool = True


@dataclass(frozen=True, kw_only=True)
class ActionPolicy:
    """The owner's rules for who asks. ``agent``: it is an AI client, which may confirm where ``agents_confirm``.

    ``asks_in_client``: an answer to a question in the client is a human's. ``shows_names``: names of people and secrets
    may be shown to who asks. ``keeps_names``: they may be kept on the disk.
    """

    agent: bool = False
    agents_confirm: bool = False
    asks_in_client: bool = False
    shows_names: bool = True
    keeps_names: bool = True
    most_targets: int = 1

    @classmethod
    def from_settings(
        cls, settings: Settings, *, agent: bool = False, asks_in_client: bool = False, personal: bool = False
    ) -> "ActionPolicy":
        """Read the rules from the settings, for an AI client or for a person.

        ``personal``: the AI client asks for somebody who may see personal data.
        """
        return cls(
            agent=agent,
            agents_confirm=settings.mirror_confirm == "agent",
            asks_in_client=asks_in_client,
            shows_names=not (agent and settings.privacy.masks(personal=personal)),
            keeps_names=settings.mirror_privacy != "on",
            most_targets=settings.mirror_action_devices,
        )

    def offers(self, action: Action) -> bool:
        """Tell whether who asks may have the action at all: secrets and notes are not for everybody."""
        return self.shows_names or not (action.secret or action.only_reads)

    def check(self, request: ActionRequest) -> None:
        """Raise :class:`NotConfirmed` or :class:`UsageError` for a request that is refused whatever its targets are."""
        action = request.action
        if not action.only_reads and request.confirm is not True:
            raise NotConfirmed("confirm must be the boolean true, and nothing else. Nothing was sent.")
        if action.secret and not request.reason.strip():
            raise UsageError("A secret is only shown for a reason; give one in `reason`. Nothing was sent.")
        if not self.offers(action):
            raise NotConfirmed(f"{action.name} is shown on a terminal only, in this mode of privacy. Nothing was sent.")
        if not request.seen_by_person:
            self.check_unseen(action)
        self._check_targets(action, len(request.targets))

    def check_unseen(self, action: Action) -> None:
        """Raise :class:`UsageError` for an answer that must not go into a file or pipe unless that was said."""
        if action.secret or (action.only_reads and not self.keeps_names):
            raise UsageError(
                f"{action.name} is shown on a terminal, and the output is none. Add --to-stdout if it shall go "
                "elsewhere. Nothing was sent."
            )

    def _check_targets(self, action: Action, named: int) -> None:
        if action.target is TargetKind.TENANT:
            if named:
                raise UsageError(f"{action.name} takes no target; name the tag with --arg name=... Nothing was sent.")
            return
        if not named:
            raise UsageError(f"{action.name} needs the {action.target.name.lower()} it is done to. Nothing was sent.")
        if named > self.most_targets:
            raise UsageError(
                f"{named} targets were named; KANDJI_MIRROR_ACTION_DEVICES allows {self.most_targets} at once. Nothing "
                "was sent."
            )

    def check_confirmation(self, preview: Preview, by: ConfirmedBy, *, pending: bool) -> None:
        """Raise :class:`NotConfirmed` where a confirmation of that kind does not count.

        ``pending``: it comes with the token of a preview that was offered before.
        """
        action, refusal = preview.action, ""
        if by is ConfirmedBy.NOBODY and not action.only_reads:
            refusal = f"{action.name} needs somebody's yes."
        elif by is ConfirmedBy.FLAG and not (self.agents_confirm or (preview.can_be_undone and not pending)):
            refusal = (
                f"{action.name} has to be confirmed by a human at a terminal; --serial counts here only where "
                'config.toml says mirror_confirm = "agent".'
            )
        elif by is ConfirmedBy.AGENT and not (self.agents_confirm and pending):
            refusal = 'An AI client confirms by a preview\'s token, where config.toml says mirror_confirm = "agent".'
        elif by is ConfirmedBy.ELICITATION and not self.asks_in_client:
            refusal = "An answer over this connection proves no human."
        if refusal:
            raise NotConfirmed(f"{refusal} Nothing was sent.")


def refuse_if_off(settings: Settings) -> None:
    """Raise :class:`ActionsOff`, which says how to switch live actions on, where they are off."""
    if settings.mirror_actions != "on":
        raise ActionsOff(
            "Live actions and secrets are switched off here. Set KANDJI_MIRROR_ACTIONS=on (environment "
            "or config.toml) for whoever may act on devices."
        )
