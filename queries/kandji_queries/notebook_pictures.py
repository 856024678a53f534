"""Pictures in notebooks: a named query, run and drawn by the same specification as everywhere."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kandji_queries.charts.chart import Chart
from kandji_queries.charts.colours import Theme
from kandji_queries.charts.drawing import available, draw
from kandji_queries.charts.picture import Picture, read_picture
from kandji_queries.charts.specification import specification
from kandji_queries.charts.text_chart import text_chart
from kandji_queries.reader import Reader
from kandji_schema.errors import UsageError
from kandji_schema.home import refuse_foreign
from kandji_schema.settings import load

VEGA_LITE = "application/vnd.vegalite.v6+json"
"""What a specification is called among the forms of a value."""


@dataclass(frozen=True)
class NotebookPicture:
    """What a notebook shows of a named query: a picture where it can, else bars and lines as text.

    ``picture`` has the answer with its notes, ``theme`` is the ground it is drawn for: ``light`` or ``dark``.
    """

    picture: Picture
    chart: Chart
    theme: Theme = "light"

    @property
    def dark(self) -> "NotebookPicture":
        """The same for dark ground; nothing is asked again."""
        return replace(self, theme="dark")

    @property
    def specification(self) -> dict[str, Any]:
        """The picture in Vega-Lite, for tools that draw that and to change it."""
        return specification(self.chart, theme=self.theme)

    def __str__(self) -> str:
        return f"{text_chart(self.chart)}{self.chart.dated}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return all its forms, of which a notebook takes the one it shows best: Vega-Lite, SVG (extra), text."""
        made = self.specification
        drawn = {"image/svg+xml": draw(made, "svg").decode()} if available() else {}
        return {"text/plain": str(self), **drawn, VEGA_LITE: made}


def picture(name: str, home: str | Path | None = None, **params: object) -> NotebookPicture:
    """Return the picture of a named query; ``params`` are its parameters, ``home`` as :func:`connect` has it.

    Raises what running it raises, and :class:`UsageError` where it has no picture.
    """
    settings = load()
    if home is None:
        refuse_foreign(settings)
    place = Path(home).expanduser() if home is not None else settings.home
    rules, masked = settings.mirror_compliance_file, settings.privacy.masks_people
    with Reader(place, lazy=True, rules=rules, masked=masked) as reader:
        found = read_picture(reader, name, params)
    if found.chart is None:
        raise UsageError(f"The query {found.name} has no picture: its answer is better read.")
    return NotebookPicture(found, found.chart)
