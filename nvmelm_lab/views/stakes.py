"""What the player says of a run's properties: those that are followed step by step, and what else broke."""

from collections.abc import Mapping

from nvmelm_lab.oracle import PROPERTIES
from nvmelm_lab.runs.stakes import NAMES, News
from nvmelm_lab.views.model import Property


def judged_by(holds: Mapping[str, bool]) -> list[Property]:
    """The properties that a run is judged by: those of `NAMES`, then what else the oracle found to be broken."""
    return [{"name": name, "sentence": PROPERTIES[name]} for name in _judged(holds)]


def found(holds: Mapping[str, bool]) -> News:
    """What the oracle found in the end, as verdicts of the properties that `judged_by` gives."""
    return [
        [which, "good" if holds[name] else "bad", ""]
        for which, name in enumerate(_judged(holds))
        if name in holds
    ]


def _judged(holds: Mapping[str, bool]) -> list[str]:
    return [*NAMES, *(name for name, held in holds.items() if not held and name not in NAMES)]
