"""What a notebook imports, by subject: a file for each.  Nothing below this floor knows it.

Each name loads what it needs when it is first asked for, so that a notebook waits for nothing that it does not use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nvmelm_lab.notebook.decoding import decode, decoder
    from nvmelm_lab.notebook.pictures import (
        compare,
        downtime,
        granularity_explorer,
        phases,
        queue_occupancy,
        sweep,
    )
    from nvmelm_lab.notebook.racing import find, scheduler
    from nvmelm_lab.notebook.watching import SMALL, bench, rounds, watch, who_talks
    from nvmelm_lab.views.cover import after
    from nvmelm_lab.views.predict import predict
    from nvmelm_lab.views.progress import progress

__all__ = [
    "SMALL",
    "after",
    "bench",
    "compare",
    "decode",
    "decoder",
    "downtime",
    "find",
    "granularity_explorer",
    "phases",
    "predict",
    "progress",
    "queue_occupancy",
    "rounds",
    "scheduler",
    "sweep",
    "watch",
    "who_talks",
]

_HOMES: Final = {
    "SMALL": "notebook.watching",
    "after": "views.cover",
    "bench": "notebook.watching",
    "compare": "notebook.pictures",
    "decode": "notebook.decoding",
    "decoder": "notebook.decoding",
    "downtime": "notebook.pictures",
    "find": "notebook.racing",
    "granularity_explorer": "notebook.pictures",
    "phases": "notebook.pictures",
    "predict": "views.predict",
    "progress": "views.progress",
    "queue_occupancy": "notebook.pictures",
    "rounds": "notebook.watching",
    "scheduler": "notebook.racing",
    "sweep": "notebook.pictures",
    "watch": "notebook.watching",
    "who_talks": "notebook.watching",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"nvmelm_lab.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
