"""Pictures of the course: each is made by a run, or by a few, of the emulated SSDs."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from nvmelm_lab.notebook.names import known_or_near
from nvmelm_lab.runs import MigrationRun, start

if TYPE_CHECKING:
    from nvmelm_lab.views.figures import Figure
    from nvmelm_lab.views.granularity import GranularityExplorer


def granularity_explorer(granularity: int = 8) -> "GranularityExplorer":
    """Drag the granularity of the SSD: what Get LBA Status reports of a sparse namespace, and what that costs.

    It begins at `granularity` LBAs a granule: a power of two from 1 to 128.  InputError for another.
    """
    from nvmelm_lab.lessons.granularity import surveys
    from nvmelm_lab.views.granularity import GranularityExplorer

    return GranularityExplorer(surveys(), granularity)


def phases(current: str | None = None, theme: str = "light") -> "Figure":
    """The phases of a live migration: what ends each, and what leads back; `current` is shown as the one under way.

    InputError for a phase or theme that there is not.
    """
    from nvmelm_lab.views.phases_figure import phases as drawn

    return drawn(current, theme=theme)


def compare(theme: str = "light", **values: Any) -> "Figure":
    """Migrate one guest in three ways: what its I/Os wait, how long it stands still, what the host has to do.

    `values` sets fields of `MigrationRun` by name.  InputError for a field or theme that there is not, or a value
    without sense.
    """
    from nvmelm_lab.lessons.methods import SAME_GUEST, compared
    from nvmelm_lab.views.comparison_figure import comparison

    return comparison(compared(_with(SAME_GUEST, values)), theme=theme)


def downtime(theme: str = "light", **values: Any) -> "Figure":
    """Migrate one guest, and show where its downtime goes; `values` as for `compare`.

    InputError as for `compare`, and for a run that never pauses its VM.
    """
    from nvmelm_lab.lessons.methods import SAME_GUEST
    from nvmelm_lab.views.downtime import downtime as drawn

    return drawn(start(_with(SAME_GUEST, values), observed=True).finish(), theme=theme)


def queue_occupancy(theme: str = "light", **values: Any) -> "Figure":
    """Migrate one guest, and show how full the Migration Queue gets; `values` as for `compare`.

    InputError as for `compare`, and for a method without a Migration Queue.
    """
    from nvmelm_lab.lessons.methods import SAME_GUEST
    from nvmelm_lab.views.occupancy import occupancy

    return occupancy(start(_with(SAME_GUEST, values), observed=True).finish(), theme=theme)


def sweep(field: str, values: Sequence[int], theme: str = "light", **others: Any) -> "Figure":
    """Migrate one guest again and again, with each of `values` in `field`: the copies of each run, side by side.

    `others` as for `compare`.  InputError as for `compare`, for a field that is no number, and for more than 9 values.
    """
    from nvmelm_lab.lessons.methods import SAME_GUEST
    from nvmelm_lab.lessons.sweeps import NUMBERS, swept
    from nvmelm_lab.views.multiples import multiples

    known_or_near("knob", field, NUMBERS)
    return multiples(field, swept(field, values, _with(SAME_GUEST, others)), theme=theme)


def _with(spec: MigrationRun, values: dict[str, Any]) -> MigrationRun:
    """`spec` with some fields set by name.  InputError for a field that there is not."""
    own = {field.name: getattr(spec, field.name) for field in fields(spec)}
    return MigrationRun(**own | {known_or_near("field", name, own): value for name, value in values.items()})
