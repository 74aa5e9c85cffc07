"""What people see.  `Player(model)` is a live migration to watch, step by step, in pictures and in words.

Views read traces and never write; grading is not known here.  Widgets load when a `Player` is first asked
for, so that importing this folder costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nvmelm_lab.views.player import Player

__all__ = ["Player"]


def __getattr__(name: str) -> Any:
    if name == "Player":
        from nvmelm_lab.views.player import Player

        return Player
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
