"""What people see.  `Player(model)` is a live migration to watch, step by step, in pictures and in words.
`topology()` shows who takes part and who talks to whom, `convergence(outcome)` whether a migration converged; both
are figures, and `topology_text` and `convergence_text` say the same in words.
`beside_repaired(counterexample)` plays a failing run and one that keeps the promise together, `explanation_figure` is
the picture of why it fails, and `export_html(counterexample)` all of that as one file.

Views read traces and never write; grading is not known here.  Widgets and figures load when they are first asked
for, so that importing this folder costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from nvmelm_lab.views.convergence_figure import convergence
    from nvmelm_lab.views.copies import convergence_text
    from nvmelm_lab.views.explanation import explanation_figure
    from nvmelm_lab.views.export import export_html
    from nvmelm_lab.views.lab_graph import topology_graph, topology_text
    from nvmelm_lab.views.player import Player
    from nvmelm_lab.views.side_by_side import SideBySide, beside_repaired
    from nvmelm_lab.views.topology_figure import topology

__all__ = [
    "Player",
    "SideBySide",
    "beside_repaired",
    "convergence",
    "convergence_text",
    "explanation_figure",
    "export_html",
    "topology",
    "topology_graph",
    "topology_text",
]

_HOMES: Final = {
    "Player": "player",
    "SideBySide": "side_by_side",
    "beside_repaired": "side_by_side",
    "convergence": "convergence_figure",
    "convergence_text": "copies",
    "explanation_figure": "explanation",
    "export_html": "export",
    "topology": "topology_figure",
    "topology_graph": "lab_graph",
    "topology_text": "lab_graph",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
