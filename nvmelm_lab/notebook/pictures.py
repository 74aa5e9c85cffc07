"""Pictures of the course: each is made by a run, or by a few, of the emulated SSDs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nvmelm_lab.views.granularity import GranularityExplorer


def granularity_explorer(granularity: int = 8) -> "GranularityExplorer":
    """Drag the granularity of the SSD: what Get LBA Status reports of a sparse namespace, and what that costs.

    It begins at `granularity` LBAs a granule: a power of two from 1 to 128.  InputError for another.
    """
    from nvmelm_lab.lessons.granularity import surveys
    from nvmelm_lab.views.granularity import GranularityExplorer

    return GranularityExplorer(surveys(), granularity)
