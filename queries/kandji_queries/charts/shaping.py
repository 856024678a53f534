"""From a chart to what is drawn of it, by its kind."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from kandji_queries.charts.bars import bar_plot
from kandji_queries.charts.chart import Chart
from kandji_queries.charts.heat import heat_plot
from kandji_queries.charts.hint import Kind
from kandji_queries.charts.lines import line_plot
from kandji_queries.charts.plot import Plot
from kandji_schema.errors import ConfigurationError

MAKE: Mapping[Kind, Callable[[Chart], Plot]] = MappingProxyType(
    {"bar": bar_plot, "stacked": bar_plot, "line": line_plot, "heat": heat_plot}
)


def plot_of(chart: Chart) -> Plot:
    """Return what is drawn of a chart; :class:`ConfigurationError` where its hint names a column there is not."""
    if missing := chart.hint.missing(chart.columns):
        raise ConfigurationError(
            f"The chart names the column {missing[0]!r}, which the answer has not: {', '.join(chart.columns)}."
        )
    return MAKE[chart.hint.kind](chart)
