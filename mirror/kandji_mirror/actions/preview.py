"""What is about to be done, in full, before anybody confirms it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kandji_mirror.actions.resolve import Target
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.audit.log import new_id
from kandji_schema.actions.record import Action, Risk


@dataclass(frozen=True)
class Preview:
    """One action, its target, and its checked arguments. Sends nothing by itself."""

    action: Action
    target: Target
    values: Mapping[str, Any]
    reason: str = ""
    id: str = field(default_factory=new_id)

    @property
    def path(self) -> str:
        """The request's path; every id in it is one segment."""
        ids = {
            name: quote_segment(str(value))
            for name, value in self.values.items()
            if "{" + name + "}" in self.action.path
        }
        if self.action.target.value:
            ids[self.action.target.value] = quote_segment(self.target.id)
        return self.action.path.format(**ids)

    @property
    def body(self) -> dict[str, Any] | None:
        """The request's JSON, secrets included."""
        return self.action.body(self.values)

    @property
    def consequences(self) -> tuple[str, ...]:
        """What will happen, in plain words."""
        warn = self.action.warn
        return self.action.consequences + (warn(self.target.row or {}, self.values) if warn else ())

    @property
    def destroys(self) -> bool:
        """Whether it cannot be undone, for this device in its present state."""
        return self.action.risk is Risk.DESTROYS or len(self.consequences) > len(self.action.consequences)

    @property
    def can_be_undone(self) -> bool:
        """Whether it leaves nothing that cannot be taken back; a secret that was seen cannot."""
        return not (self.destroys or self.action.secret)

    @property
    def binding(self) -> tuple[str, str, str, str]:
        """What a confirmation is bound to: action, target with its serial number, arguments."""
        arguments = json.dumps(self.values, sort_keys=True, ensure_ascii=False)
        return (self.action.name, self.target.id, self.target.serial, arguments)

    def lines(self, *, named: bool = True, moving: bool = True) -> Iterator[str]:
        """Say what would be sent, for whoever is to confirm. Not ``named`` leaves out what may tell a person's name."""
        yield f"{self.action.title}: {self.action.method} {self.path}"
        yield f"  action  {self.id}"
        yield f"  target  {self.target.words(named=named, moving=moving)}"
        body = self.action.body(self.action.redacted(self.values, personal=not named))
        if body is not None:
            yield f"  body    {json.dumps(body, ensure_ascii=False)}"
        if self.reason:
            yield f"  reason  {self.reason}"
        for sentence in self.consequences:
            yield f"  {sentence}"

    def question(self, *, named: bool = True) -> str:
        """Return the preview as a question, which reads the same when asked again: nothing in it moves by itself."""
        return "\n".join([*self.lines(named=named, moving=False), f"{self.action.title} now?"])

    def scrubbed(self, text: str, *, personal: bool = False) -> str:
        """Return a text without the secrets among the arguments, and without what is ``personal`` if asked."""
        hidden = [a.name for a in self.action.arguments if a.secret or (personal and a.personal)]
        for value in filter(None, [*(self.values.get(n) for n in hidden), self.target.name if personal else None]):
            text = text.replace(str(value), "***")
        return text
