"""Pictures of the course: each is made by a run, or by a few, of the emulated SSDs."""

from typing import TYPE_CHECKING

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
