"""What is about to be done, in full, before anybody says yes to it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kandji_mirror.actions.subjects import Subject
from kandji_mirror.api.endpoint import quote_segment
from kandji_mirror.audit.log import new_id
from kandji_schema.actions.record import Action, Risk


@dataclass(frozen=True)
class Plan:
    """One action, what it is done to, and its checked arguments. Sends nothing by itself."""

    action: Action
    subject: Subject
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
            ids[self.action.target.value] = quote_segment(self.subject.id)
        return self.action.path.format(**ids)

    @property
    def body(self) -> dict[str, Any] | None:
        """The request's JSON, secrets included."""
        return self.action.body(self.values)

    @property
    def consequences(self) -> tuple[str, ...]:
        """What will happen, in plain words."""
        warn = self.action.warn
        return self.action.consequences + (warn(self.subject.row or {}, self.values) if warn else ())

    @property
    def destroys(self) -> bool:
        """Whether it cannot be undone, for this device in its present state."""
        return self.action.risk is Risk.DESTROYS or len(self.consequences) > len(self.action.consequences)

    @property
    def binding(self) -> tuple[str, str, str, str]:
        """What a yes is bound to: action, target with its serial number, arguments."""
        arguments = json.dumps(self.values, sort_keys=True, ensure_ascii=False)
        return (self.action.name, self.subject.id, self.subject.serial, arguments)

    def lines(self, *, named: bool = True, target: str = "") -> Iterator[str]:
        """The preview, for whoever is to say yes. ``named`` False leaves out what may tell a person's name."""
        yield f"{self.action.title}: {self.action.method} {self.path}"
        yield f"  action  {self.id}"
        yield f"  target  {target or self.subject.words(named=named)}"
        body = self.action.body(self.action.redacted(self.values, personal=not named))
        if body is not None:
            yield f"  body    {json.dumps(body, ensure_ascii=False)}"
        if self.reason:
            yield f"  reason  {self.reason}"
        for sentence in self.consequences:
            yield f"  {sentence}"

    def question(self, *, named: bool = True) -> str:
        """The preview as a question. It holds nothing that moves by itself: asked again it has to read the same."""
        target = self.subject.words(named=named, moving=False)
        return "\n".join([*(line for line in self.lines(named=named, target=target)), f"{self.action.title} now?"])

    def scrubbed(self, text: str, *, personal: bool = False) -> str:
        """A text without the secrets among the arguments, and without what is ``personal`` if asked."""
        hidden = [a.name for a in self.action.arguments if a.secret or (personal and a.personal)]
        for value in filter(None, [*(self.values.get(n) for n in hidden), self.subject.name if personal else None]):
            text = text.replace(str(value), "***")
        return text
